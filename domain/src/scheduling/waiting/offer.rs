//! Offering a time that became free. Runs as a reaction, in the name of the system.

use chrono::TimeDelta;
use praxis_entity::{
    appointment::{self, AppointmentStatus},
    ids::{AppointmentId, WaitlistEntryId},
    visit_type,
    waitlist_entry::{self, Column, WaitlistStatus},
};
use praxis_platform::{Op, Write, audit::Entry, literal::Literal};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, LockBehavior, LockType},
};

use super::answer::change;
use crate::{
    Error, Result,
    scheduling::{
        reserve::{BookAppointment, Prepared, Terms},
        tell,
    },
};

/// For how many minutes an offer stands.
pub const OFFER_MINUTES: i64 = 30;

/// How many entries are tried for one time that became free.
const TRIED: u64 = 20;

/// Holds the time that a visit gave up for whoever is next in line. The entry it was offered to, if any.
pub async fn offer_freed(op: &Op<Write>, freed: AppointmentId) -> Result<Option<waitlist_entry::Model>> {
    let Some(freed) = appointment::Entity::find_by_id(freed).one(op.db()).await? else { return Ok(None) };
    let given_up = matches!(
        freed.status,
        AppointmentStatus::Cancelled | AppointmentStatus::Expired | AppointmentStatus::EnteredInError
    );
    if !given_up || freed.overbooked || freed.starts_at <= op.now() {
        return Ok(None);
    }
    for id in in_line(op, &freed).await? {
        let still = waitlist_entry::Entity::find_by_id(id)
            .filter(Column::Status.is(WaitlistStatus::Waiting))
            .lock_with_behavior(LockType::NoKeyUpdate, LockBehavior::SkipLocked);
        let Some(entry) = still.one(op.db()).await? else { continue };
        if let Some(held) = hold_for(op, &freed, &entry).await? {
            let id = Some(held.id);
            let offered = change(op, &entry, WaitlistStatus::Offered, id, "waitlist.offer").await?;
            tell::offered(op, &offered, &held).await?;
            return Ok(Some(offered));
        }
    }
    Ok(None)
}

/// Puts an entry back in line whose offer ran out.
pub async fn offer_ran_out(op: &Op<Write>, expired: AppointmentId) -> Result<()> {
    let waiting = waitlist_entry::Entity::find()
        .filter(Column::AppointmentId.eq(expired))
        .filter(Column::Status.is(WaitlistStatus::Offered))
        .lock(LockType::NoKeyUpdate);
    if let Some(entry) = waiting.one(op.db()).await? {
        change(op, &entry, WaitlistStatus::Waiting, None, "waitlist.lapse").await?;
    }
    Ok(())
}

/// Who waits for a time like this one: the most pressing first, then who has waited longest.
async fn in_line(op: &Op<Write>, freed: &appointment::Model) -> Result<Vec<WaitlistEntryId>> {
    let minutes = (freed.ends_at - freed.starts_at).num_minutes();
    let asked = Expr::cust_with_values(
        "NOT EXISTS (SELECT FROM appointment a WHERE a.waitlist_entry_id = waitlist_entry.id AND a.practitioner_id = $1 AND a.starts_at = $2)",
        [sea_orm::Value::from(freed.practitioner_id.0), freed.starts_at.into()],
    );
    let any = |column: Column, id: uuid::Uuid| Condition::any().add(column.is_null()).add(column.eq(id));
    let entries = waitlist_entry::Entity::find()
        .filter(Column::Status.is(WaitlistStatus::Waiting))
        .filter(Column::Earliest.lte(freed.starts_at))
        .filter(Column::Latest.gte(freed.ends_at))
        .filter(Column::DurationMinutes.lte(minutes))
        .filter(Column::Modality.eq(freed.modality))
        .filter(any(Column::PractitionerId, freed.practitioner_id.0))
        .filter(any(Column::FacilityId, freed.facility_id.0))
        .filter(asked)
        .order_by_asc(Expr::cust(
            "array_position(ARRAY['URGENT', 'SOON', 'ROUTINE'], waitlist_entry.priority)",
        ))
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::Id)
        .limit(TRIED)
        .all(op.db())
        .await?;
    Ok(entries.into_iter().map(|entry| entry.id).collect())
}

/// Holds the time for an entry, where it is open and has room; the room that the freed visit had serves this one.
async fn hold_for(
    op: &Op<Write>,
    freed: &appointment::Model,
    entry: &waitlist_entry::Model,
) -> Result<Option<appointment::Model>> {
    let kind = match entry.visit_type_id {
        Some(id) => visit_type::Entity::find_by_id(id).one(op.db()).await?,
        None => None,
    };
    let lead = kind.as_ref().map_or(0, |kind| kind.lead_minutes);
    if freed.starts_at < op.now() + TimeDelta::minutes(i64::from(lead)) {
        return Ok(None);
    }
    let resources = crate::scheduling::hold::of(op, freed).await?;
    let wish = BookAppointment {
        patient: entry.patient_id,
        practitioner: freed.practitioner_id,
        facility: Some(freed.facility_id),
        room: freed.room_id,
        devices: resources.devices,
        visit_type: entry.visit_type_id,
        modality: entry.modality,
        starts_at: freed.starts_at,
        duration_minutes: u32::try_from(entry.duration_minutes).unwrap_or(0),
        reason: None,
        overbook: false,
    };
    let until = (op.now() + TimeDelta::minutes(OFFER_MINUTES)).min(freed.starts_at);
    let terms = Terms { hold_expires_at: Some(until), waitlist_entry: Some(entry.id), ..Terms::default() };
    // Where somebody has taken the time, or the patient can't be booked, the next in line may have it.
    let Some(prepared) = unless_refused(Prepared::of(op, wish).await)? else { return Ok(None) };
    let span = prepared.span();
    // A time is also given up because nobody is there.
    if prepared.is_closed(op, span).await? {
        return Ok(None);
    }
    let Some(lanes) = unless_refused(prepared.lanes(op, span).await)? else { return Ok(None) };
    let held = prepared.take_lanes(op, span, &lanes, terms).await?;
    op.record(
        Entry::done("appointment.hold").on("Appointment", held.id.0, held.version).of(held.patient_id.0),
    );
    tell::held(op, &held).await?;
    Ok(Some(held))
}

fn unless_refused<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::Violated(_)) => Ok(None),
        Err(failure) => Err(failure),
    }
}
