//! Moving a visit to another time, practitioner, room or devices.

use chrono::{DateTime, Utc};
use praxis_entity::{
    appointment::{self, Column},
    facility,
    ids::{AppointmentId, DeviceId, PractitionerId, RoomId},
};
use praxis_platform::{Failure, Op, Write, access::Permission, audit::Entry};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value as Json, json};

use super::{
    check,
    conflict::Visit,
    expire,
    hold::{self, Resources},
    place,
    slots::Buffers,
    tell,
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
    /// With which devices.
    pub devices: Option<Vec<DeviceId>>,
    /// Whether the time may be booked beyond what its resources hold.
    pub overbook: bool,
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
    if to.overbook {
        check::at_version(op, Permission::APPOINTMENT_OVERBOOK, id, if_version).await?;
    }
    check::step(op, &stored, "appointmentReschedule").await?;
    let mut found = Violations::default();
    let length = match to.duration_minutes {
        Some(minutes) => check::length(&mut found, minutes),
        None => stored.ends_at - stored.starts_at,
    };
    let span = check::span(&mut found, op.now(), to.starts_at, length);
    let wanted = Resources {
        practitioner: to.practitioner.unwrap_or(stored.practitioner_id),
        room: to.room.unwrap_or(stored.room_id),
        devices: match to.devices {
            Some(devices) => check::devices(&mut found, devices),
            None => hold::of(op, &stored).await?.devices,
        },
    };
    let locked = hold::lock(op, &wanted).await?;
    place::judge_practitioner(&mut found, locked.practitioner.as_ref());
    if wanted.room.is_some() {
        place::judge_room(&mut found, locked.room.as_ref(), Some(stored.facility_id));
    }
    place::judge_devices(&mut found, &wanted.devices, &locked.devices, Some(stored.facility_id));
    let kind = place::kind(op, stored.visit_type_id, &mut found).await?;
    if let Some(kind) = &kind {
        place::judge_needs(&mut found, kind, locked.room.as_ref(), &locked.devices);
    }
    found.check()?;
    let facility =
        facility::Entity::find_by_id(stored.facility_id).one(op.db()).await?.ok_or(Failure::NotFound)?;

    let resources = locked.resources();
    let visit = Visit {
        practitioner: wanted.practitioner,
        resources: &resources,
        facility: &facility,
        span,
        buffers: kind.as_ref().map(Buffers::from).unwrap_or_default(),
        own: Some(id),
        overbook: to.overbook,
    };
    let ids: Vec<_> = resources.iter().map(|resource| resource.id).collect();
    expire::in_the_way(op, &ids, visit.held()).await?;
    let lanes = visit.free_lanes(op).await?;
    let change = appointment::ActiveModel {
        practitioner_id: Set(wanted.practitioner),
        room_id: Set(wanted.room),
        starts_at: Set(span.from),
        ends_at: Set(span.until),
        time_zone: Set(facility.time_zone.clone()),
        overbooked: Set(lanes.iter().any(|lane| *lane < 0)),
        ..Default::default()
    };
    let moved = guarded(op, id, if_version, change).await?;
    hold::give_up(op, id).await?;
    if !hold::hold(op, id, &resources, &lanes, visit.held()).await? {
        return Err(visit.lost(op).await?.into());
    }
    let patient = moved.patient_id.0;
    let entry = Entry::done("appointment.reschedule").on("Appointment", id.0, moved.version).of(patient);
    let key = op.data_key(patient).await?;
    op.record(op.changed(entry, (patient, &*key), &said(&stored), &said(&moved))?);
    tell::moved(op, &moved, kind.as_ref()).await?;
    let (before, practitioner) = (stored.practitioner_id, moved.practitioner_id);
    if before != practitioner {
        let patient = moved.patient_id;
        happened(op, Event::AppointmentReassigned { appointment: id, patient, before, practitioner }).await?;
    }
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
