//! Recording that a patient did not come, and taking that back.

use praxis_entity::{appointment, facility, ids::AppointmentId};
use praxis_platform::{Failure, Op, Write, access::Permission, audit::Entry};
use sea_orm::{ActiveValue::Set, EntityTrait};

use super::{
    check,
    conflict::Visit,
    expire, hold, place,
    reschedule::guarded,
    slots::{Buffers, Span},
    tell,
};
use crate::{Result, Violation, ViolationCode, error::Violations};

/// Records that the patient did not come, once the visit should have begun.
pub async fn mark_no_show(op: &Op<Write>, id: AppointmentId, if_version: i32) -> Result<appointment::Model> {
    op.require(Permission::APPOINTMENT_NO_SHOW)?;
    let stored = check::at_version(op, Permission::APPOINTMENT_NO_SHOW, id, if_version).await?;
    let status = check::step(op, &stored, "appointmentMarkNoShow").await?;
    let change = appointment::ActiveModel { status: Set(status), ..Default::default() };
    let marked = guarded(op, id, if_version, change).await?;
    hold::release(op, &[id]).await?;
    let patient = marked.patient_id.0;
    op.record(Entry::done("appointment.no-show").on("Appointment", id.0, marked.version).of(patient));
    tell::advanced(op, &marked).await?;
    Ok(marked)
}

/// Takes it back on the same day, for somebody who came after all. What is left of the time must still be free.
pub async fn undo_no_show(op: &Op<Write>, id: AppointmentId, if_version: i32) -> Result<appointment::Model> {
    op.require(Permission::APPOINTMENT_NO_SHOW)?;
    let stored = check::at_version(op, Permission::APPOINTMENT_NO_SHOW, id, if_version).await?;
    let status = check::step(op, &stored, "appointmentUndoNoShow").await?;
    if !check::is_today(op, &stored) {
        let message = "This is possible on the day of the visit only.";
        return Err(Violation::at(ViolationCode::OutOfRange, &["id"], message).into());
    }
    let locked = hold::lock(op, &hold::of(op, &stored).await?).await?;
    let resources = locked.resources();
    let facility =
        facility::Entity::find_by_id(stored.facility_id).one(op.db()).await?.ok_or(Failure::NotFound)?;
    let kind = place::kind(op, stored.visit_type_id, &mut Violations::default()).await?;
    let visit = Visit {
        practitioner: stored.practitioner_id,
        resources: &resources,
        facility: &facility,
        span: Span { from: stored.starts_at, until: stored.ends_at },
        buffers: kind.as_ref().map(Buffers::from).unwrap_or_default(),
        own: Some(id),
        overbook: stored.overbooked,
    };
    let ids: Vec<_> = resources.iter().map(|resource| resource.id).collect();
    expire::in_the_way(op, &ids, visit.held()).await?;
    let lanes = visit.free_lanes(op).await?;
    let change = appointment::ActiveModel { status: Set(status), ..Default::default() };
    let booked = guarded(op, id, if_version, change).await?;
    hold::give_up(op, id).await?;
    if !hold::hold(op, id, &resources, &lanes, visit.held()).await? {
        return Err(visit.lost(op).await?.into());
    }
    let patient = booked.patient_id.0;
    op.record(Entry::done("appointment.undo-no-show").on("Appointment", id.0, booked.version).of(patient));
    tell::advanced(op, &booked).await?;
    Ok(booked)
}
