//! Setting when a branch or a resource is closed, or a practitioner works in addition.

use chrono::{NaiveDate, NaiveTime};
use praxis_entity::{
    availability_exception::{self, ActiveModel, Column, Entity, ExceptionKind},
    device, facility,
    ids::{AvailabilityExceptionId, DeviceId, FacilityId, PractitionerId, RoomId},
    practitioner, room,
};
use praxis_platform::{Failure, Op, Write, access::Permission, audit::Entry};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::LockType,
};

use super::check;
use crate::{Result, Violation, ViolationCode, error::Violations, page::any_of};

/// The most exceptions that are told of at once.
const MOST: u64 = 500;

/// Whose time it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The whole branch's.
    Facility,
    /// A practitioner's.
    Practitioner(PractitionerId),
    /// A room's.
    Room(RoomId),
    /// A device's.
    Device(DeviceId),
}

/// An exception to add.
#[derive(Debug, Clone)]
pub struct AddException {
    /// At which branch.
    pub facility: FacilityId,
    /// Whose time.
    pub whose: Whose,
    /// Closed or extra.
    pub kind: ExceptionKind,
    /// First day.
    pub first_day: NaiveDate,
    /// Last day; the first one when absent.
    pub last_day: Option<NaiveDate>,
    /// From when to when on each day; all day when absent.
    pub times: Option<(NaiveTime, NaiveTime)>,
}

/// Adds an exception. Visits that are booked already stay as they are.
pub async fn add_exception(op: &Op<Write>, new: AddException) -> Result<availability_exception::Model> {
    op.actor().require_at(Permission::SCHEDULE_MANAGE, new.facility)?;
    let mut found = Violations::default();
    let last_day = new.last_day.unwrap_or(new.first_day);
    if last_day < new.first_day {
        found.add(ViolationCode::Invalid, &["lastDay"], "The last day must not be before the first.");
    }
    if (last_day - new.first_day).num_days() > 366 {
        found.add(ViolationCode::OutOfRange, &["lastDay"], "This is longer than a year.");
    }
    if new.times.is_some_and(|(starts, ends)| ends <= starts) {
        found.add(ViolationCode::Invalid, &["endsLocal"], "The end must be later than the start.");
    }
    let of_practitioner = matches!(new.whose, Whose::Practitioner(_));
    if new.kind == ExceptionKind::Extra && (!of_practitioner || new.times.is_none()) {
        let message = "Extra time is a practitioner's, from one time to another.";
        found.add(ViolationCode::Invalid, &["kind"], message);
    }
    let branch =
        facility::Entity::find_by_id(new.facility).one(op.db()).await?.filter(|branch| branch.active);
    if branch.is_none() {
        found.add(ViolationCode::NotFound, &["facilityId"], "There is no such branch.");
    }
    judge(op, &new, &mut found).await?;
    found.check()?;
    let Some(branch) = branch else { return Err(Failure::NotFound.into()) };
    let (practitioner_id, room_id, device_id) = match new.whose {
        Whose::Facility => (None, None, None),
        Whose::Practitioner(id) => (Some(id), None, None),
        Whose::Room(id) => (None, Some(id), None),
        Whose::Device(id) => (None, None, Some(id)),
    };
    let row = ActiveModel {
        id: Set(AvailabilityExceptionId(op.new_id())),
        facility_id: Set(new.facility),
        practitioner_id: Set(practitioner_id),
        room_id: Set(room_id),
        device_id: Set(device_id),
        kind: Set(new.kind),
        first_day: Set(new.first_day),
        last_day: Set(last_day),
        starts_local: Set(new.times.map(|(starts, _)| starts)),
        ends_local: Set(new.times.map(|(_, ends)| ends)),
        time_zone: Set(branch.time_zone),
        ..Default::default()
    };
    let added = Entity::insert(row).exec_with_returning(op.db()).await?;
    op.record(Entry::done("availability-exception.add").on(
        "AvailabilityException",
        added.id.0,
        added.version,
    ));
    Ok(added)
}

async fn judge(op: &Op<Write>, new: &AddException, found: &mut Violations) -> Result<()> {
    match new.whose {
        Whose::Facility => {}
        Whose::Practitioner(id) => {
            let known = practitioner::Entity::find_by_id(id).one(op.db()).await?;
            if !known.is_some_and(|known| known.active) {
                found.add(ViolationCode::NotFound, &["practitionerId"], "There is no such practitioner.");
            }
        }
        Whose::Room(id) => {
            let known = room::Entity::find_by_id(id).one(op.db()).await?;
            if known.is_none_or(|known| known.facility_id != new.facility) {
                found.add(ViolationCode::NotFound, &["roomId"], "There is no such room.");
            }
        }
        Whose::Device(id) => {
            let known = device::Entity::find_by_id(id).one(op.db()).await?;
            if known.is_none_or(|known| known.facility_id != new.facility) {
                found.add(ViolationCode::NotFound, &["deviceIds"], "There is no such device.");
            }
        }
    }
    Ok(())
}

/// Takes an exception back.
pub async fn remove_exception(
    op: &Op<Write>,
    id: AvailabilityExceptionId,
    if_version: i32,
) -> Result<AvailabilityExceptionId> {
    op.require(Permission::SCHEDULE_MANAGE)?;
    let stored = Entity::find_by_id(id).lock(LockType::Update).one(op.db()).await?;
    let stored = stored.ok_or_else(|| Violation::unknown("id"))?;
    op.actor().require_at(Permission::SCHEDULE_MANAGE, stored.facility_id)?;
    if stored.version != if_version {
        return Err(check::outdated(stored.version).into());
    }
    Entity::delete_by_id(id).exec(op.db()).await?;
    op.record(Entry::done("availability-exception.remove").on("AvailabilityException", id.0, stored.version));
    Ok(id)
}

/// The exceptions of a branch that have not passed by a day, earliest first.
pub async fn exceptions<M>(
    op: &Op<M>,
    facility: FacilityId,
    from: NaiveDate,
) -> Result<Vec<availability_exception::Model>> {
    op.require(Permission::SCHEDULE_READ)?;
    let rows = Entity::find()
        .filter(Column::FacilityId.eq(facility))
        .filter(Column::LastDay.gte(from))
        .order_by_asc(Column::FirstDay)
        .order_by_asc(Column::Id)
        .limit(MOST);
    Ok(rows.all(op.db()).await?)
}

/// The exceptions with these ids.
pub async fn exceptions_by_ids<M>(
    op: &Op<M>,
    ids: &[AvailabilityExceptionId],
) -> Result<Vec<availability_exception::Model>> {
    op.require(Permission::SCHEDULE_READ)?;
    let wanted = any_of(Column::Id, ids.iter().map(|id| id.0).collect());
    Ok(Entity::find().filter(wanted).all(op.db()).await?)
}
