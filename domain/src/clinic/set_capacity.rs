//! Setting how many visits a practitioner, room or device takes at once.

use praxis_entity::{
    device,
    ids::{DeviceId, PractitionerId, RoomId},
    practitioner, room,
};
use praxis_platform::{Op, Write, access::Permission, audit::Entry};
use sea_orm::{ActiveValue::Set, EntityTrait, QuerySelect, sea_query::LockType};

use crate::{Detail, Result, Violation, ViolationCode, error::Violations};

/// Something that is booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceId {
    /// A practitioner.
    Practitioner(PractitionerId),
    /// A room.
    Room(RoomId),
    /// A device.
    Device(DeviceId),
}

/// A resource as it is now.
#[derive(Debug, Clone, PartialEq)]
pub enum Resource {
    /// A practitioner.
    Practitioner(practitioner::Model),
    /// A room.
    Room(room::Model),
    /// A device.
    Device(device::Model),
}

impl Resource {
    /// Its id.
    pub fn id(&self) -> ResourceId {
        match self {
            Self::Practitioner(row) => ResourceId::Practitioner(row.id),
            Self::Room(row) => ResourceId::Room(row.id),
            Self::Device(row) => ResourceId::Device(row.id),
        }
    }
}

/// Sets how many visits the resource takes at once, and how many more on purpose. What is booked stays booked.
pub async fn set_capacity(
    op: &Op<Write>,
    id: ResourceId,
    if_version: i32,
    capacity: i32,
    overbook_limit: i32,
) -> Result<Resource> {
    op.require(Permission::SCHEDULE_MANAGE)?;
    let mut found = Violations::default();
    if !(1..=100).contains(&capacity) {
        found.add(ViolationCode::OutOfRange, &["capacity"], "A resource takes 1 to 100 visits at once.");
    }
    if !(0..=20).contains(&overbook_limit) {
        found.add(ViolationCode::OutOfRange, &["overbookLimit"], "At most 20 visits more.");
    }
    found.check()?;
    match id {
        ResourceId::Practitioner(id) => {
            op.actor().require_everywhere(Permission::SCHEDULE_MANAGE)?;
            let stored =
                practitioner::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(op.db()).await?;
            at_version(stored.map(|row| row.version), if_version)?;
            let change = practitioner::ActiveModel {
                id: Set(id),
                capacity: Set(capacity),
                overbook_limit: Set(overbook_limit),
                ..Default::default()
            };
            let row = practitioner::Entity::update(change).exec(op.db()).await?;
            op.record(Entry::done("capacity.set").on("Practitioner", id.0, row.version));
            Ok(Resource::Practitioner(row))
        }
        ResourceId::Room(id) => {
            let stored = room::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(op.db()).await?;
            if let Some(stored) = &stored {
                op.actor().require_at(Permission::SCHEDULE_MANAGE, stored.facility_id)?;
            }
            at_version(stored.map(|row| row.version), if_version)?;
            let change = room::ActiveModel {
                id: Set(id),
                capacity: Set(capacity),
                overbook_limit: Set(overbook_limit),
                ..Default::default()
            };
            let row = room::Entity::update(change).exec(op.db()).await?;
            op.record(Entry::done("capacity.set").on("Room", id.0, row.version));
            Ok(Resource::Room(row))
        }
        ResourceId::Device(id) => {
            let stored = device::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(op.db()).await?;
            if let Some(stored) = &stored {
                op.actor().require_at(Permission::SCHEDULE_MANAGE, stored.facility_id)?;
            }
            at_version(stored.map(|row| row.version), if_version)?;
            let change = device::ActiveModel {
                id: Set(id),
                capacity: Set(capacity),
                overbook_limit: Set(overbook_limit),
                ..Default::default()
            };
            let row = device::Entity::update(change).exec(op.db()).await?;
            op.record(Entry::done("capacity.set").on("Device", id.0, row.version));
            Ok(Resource::Device(row))
        }
    }
}

fn at_version(stored: Option<i32>, if_version: i32) -> Result<()> {
    let stored = stored.ok_or_else(|| Violation::unknown("id"))?;
    if stored == if_version {
        return Ok(());
    }
    let message = "Somebody else changed this resource meanwhile.";
    Err(Violation::at(ViolationCode::VersionConflict, &["ifVersion"], message)
        .with(Detail::Version { current: stored })
        .into())
}
