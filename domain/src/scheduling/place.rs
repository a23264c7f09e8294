//! Where a visit takes place and what it needs, looked up and judged.

use chrono::{DateTime, Utc};
use praxis_entity::{
    device, facility,
    ids::{DeviceId, FacilityId, PractitionerId, VisitTypeId},
    practitioner, room, visit_type,
};
use praxis_platform::Op;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::{reserve::BookAppointment, slots::Hours};
use crate::{Result, ViolationCode, error::Violations, staff};

/// Judges whether patients can be booked with the practitioner.
pub(super) fn judge_practitioner(found: &mut Violations, practitioner: Option<&practitioner::Model>) {
    match practitioner {
        Some(known) if known.active && known.bookable => {}
        Some(_) => {
            found.add(ViolationCode::Locked, &["practitionerId"], "This practitioner can't be booked.")
        }
        None => found.add(ViolationCode::NotFound, &["practitionerId"], "There is no such practitioner."),
    }
}

/// Judges whether the room is in use, and at the branch.
pub(super) fn judge_room(found: &mut Violations, room: Option<&room::Model>, facility: Option<FacilityId>) {
    match room.filter(|room| room.active) {
        Some(room) if facility.is_none_or(|facility| facility == room.facility_id) => {}
        Some(_) => found.add(ViolationCode::Invalid, &["roomId"], "This room is at another branch."),
        None => found.add(ViolationCode::NotFound, &["roomId"], "There is no such room."),
    }
}

/// Judges whether the devices are in use, and at the branch.
pub(super) fn judge_devices(
    found: &mut Violations,
    wanted: &[DeviceId],
    devices: &[device::Model],
    facility: Option<FacilityId>,
) {
    for id in wanted {
        match devices.iter().find(|device| device.id == *id && device.active) {
            Some(device) if facility.is_none_or(|facility| facility == device.facility_id) => {}
            Some(_) => found.add(ViolationCode::Invalid, &["deviceIds"], "This device is at another branch."),
            None => found.add(ViolationCode::NotFound, &["deviceIds"], "There is no such device."),
        }
    }
}

/// Judges whether a visit has the room and the devices that its kind takes.
pub(super) fn judge_needs(
    found: &mut Violations,
    kind: &visit_type::Model,
    room: Option<&room::Model>,
    devices: &[device::Model],
) {
    if kind.needs_room && room.is_none() {
        found.add(ViolationCode::Required, &["roomId"], "This kind of visit takes a room.");
    }
    for wanted in &kind.device_kinds {
        if !devices.iter().any(|device| device.kind == *wanted) {
            let message = format!("This kind of visit takes a device of kind {wanted}.");
            found.add(ViolationCode::Required, &["deviceIds"], message);
        }
    }
}

/// The kind of visit. One that went out of use still counts for visits booked before.
pub(super) async fn kind<M>(
    op: &Op<M>,
    id: Option<VisitTypeId>,
    found: &mut Violations,
) -> Result<Option<visit_type::Model>> {
    let Some(id) = id else { return Ok(None) };
    let kind = visit_type::Entity::find_by_id(id).one(op.db()).await?;
    if kind.is_none() {
        found.add(ViolationCode::NotFound, &["visitKindId"], "There is no such kind of visit.");
    }
    Ok(kind)
}

/// The branch at which a visit takes place: the one asked for, else the room's, the actor's, the one
/// where the practitioner works at that time or at all, and at last the first there is.
pub(super) async fn facility<M>(
    op: &Op<M>,
    wish: &BookAppointment,
    room: Option<&room::Model>,
    starts_at: DateTime<Utc>,
    found: &mut Violations,
) -> Result<Option<facility::Model>> {
    let known = wish.facility.or(room.map(|room| room.facility_id)).or(op.actor().facility);
    let wanted = match known {
        Some(id) => Some(id),
        None => workplace(op, wish.practitioner, starts_at).await?,
    };
    let active = facility::Entity::find().filter(facility::Column::Active.eq(true));
    let facility = match wanted {
        Some(id) => active.filter(facility::Column::Id.eq(id)).one(op.db()).await?,
        None => active.order_by_asc(facility::Column::Code).one(op.db()).await?,
    };
    if facility.is_none() {
        found.add(ViolationCode::NotFound, &["facilityId"], "There is no such branch.");
    }
    Ok(facility)
}

async fn workplace<M>(
    op: &Op<M>,
    practitioner: PractitionerId,
    at: DateTime<Utc>,
) -> Result<Option<FacilityId>> {
    let rules = staff::rules_of(op, &[practitioner]).await?;
    let then = rules.iter().find(|rule| Hours::of(rule).is_some_and(|hours| hours.contain(at)));
    Ok(then.or_else(|| rules.first()).map(|rule| rule.facility_id))
}
