//! Moving a visit to another time, practitioner or room.

use chrono::{DateTime, Utc};
use praxis_entity::{
    appointment::{self, Column},
    facility,
    ids::{AppointmentId, PractitionerId, RoomId},
};
use praxis_platform::{Failure, Op, Write, access::Permission, audit::Entry};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value as Json, json};

use super::{
    check,
    conflict::Visit,
    hold::{self, Resources},
    place,
};
use crate::{
    Result,
    error::Violations,
    event::{Event, happened},
};

/// Where a visit is moved to; what is absent stays.
#[derive(Debug, Clone)]
pub struct RescheduleTo {
    /// Start.
    pub starts_at: DateTime<Utc>,
    /// Length without buffers.
    pub duration_minutes: Option<u32>,
    /// Whom the patient sees.
    pub practitioner: Option<PractitionerId>,
    /// In which room; `Some(None)` for none.
    pub room: Option<Option<RoomId>>,
}

/// Moves a visit that has not begun.
pub async fn reschedule(
    op: &Op<Write>,
    id: AppointmentId,
    if_version: i32,
    to: RescheduleTo,
) -> Result<appointment::Model> {
    op.require(Permission::APPOINTMENT_RESCHEDULE)?;
    let stored = check::at_version(op, Permission::APPOINTMENT_RESCHEDULE, id, if_version).await?;
    check::step(op, &stored, "appointmentReschedule").await?;
    let mut found = Violations::default();
    let length = match to.duration_minutes {
        Some(minutes) => check::length(&mut found, minutes),
        None => stored.ends_at - stored.starts_at,
    };
    let span = check::span(&mut found, op.now(), to.starts_at, length);
    let resources = Resources {
        practitioner: to.practitioner.unwrap_or(stored.practitioner_id),
        room: to.room.unwrap_or(stored.room_id),
    };
    let (practitioner, room) = hold::lock(op, resources).await?;
    place::judge_practitioner(&mut found, practitioner.as_ref());
    if resources.room.is_some() {
        place::judge_room(&mut found, room.as_ref(), Some(stored.facility_id));
    }
    let buffers = place::buffers(op, stored.visit_type_id, &mut found).await?;
    found.check()?;
    let facility =
        facility::Entity::find_by_id(stored.facility_id).one(op.db()).await?.ok_or(Failure::NotFound)?;

    let visit = Visit { resources, facility: &facility, span, buffers, own: Some(id) };
    visit.check_free(op).await?;
    let change = appointment::ActiveModel {
        practitioner_id: Set(resources.practitioner),
        room_id: Set(resources.room),
        starts_at: Set(span.from),
        ends_at: Set(span.until),
        time_zone: Set(facility.time_zone.clone()),
        ..Default::default()
    };
    let moved = guarded(op, id, if_version, change).await?;
    hold::give_up(op, id).await?;
    if !hold::hold(op, id, resources, visit.held()).await? {
        return Err(visit.lost(op).await?.into());
    }
    let patient = moved.patient_id;
    happened(op, Event::AppointmentRescheduled { appointment: id, patient }).await?;
    let entry = Entry::done("appointment.reschedule").on("Appointment", id.0, moved.version).of(patient.0);
    let key = op.data_key(patient.0).await?;
    op.record(op.changed(entry, (patient.0, &*key), &said(&stored), &said(&moved))?);
    Ok(moved)
}

/// What the log says of where a visit stands.
fn said(visit: &appointment::Model) -> Json {
    json!({ "practitioner": visit.practitioner_id, "room": visit.room_id, "from": visit.starts_at,
        "until": visit.ends_at })
}

/// Changes the row if it still is at the version.
pub(super) async fn guarded(
    op: &Op<Write>,
    id: AppointmentId,
    if_version: i32,
    change: appointment::ActiveModel,
) -> Result<appointment::Model> {
    let update = appointment::Entity::update_many()
        .set(change)
        .filter(Column::Id.eq(id))
        .filter(Column::Version.eq(if_version));
    if let Some(changed) = update.exec_with_returning(op.db()).await?.pop() {
        return Ok(changed);
    }
    // Somebody was faster: say at which version it is now.
    let stored = check::at_version(op, Permission::APPOINTMENT_READ, id, if_version).await?;
    Err(check::outdated(stored.version).into())
}
