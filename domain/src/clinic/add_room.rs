//! Adding a room to a branch.

use praxis_entity::{
    facility,
    ids::{FacilityId, RoomId},
    room,
};
use praxis_platform::{Op, Write, access::Permission, audit::Entry};
use sea_orm::{ActiveValue::Set, EntityTrait, sea_query::OnConflict};

use super::text;
use crate::{Result, Violation, ViolationCode, error::Violations};

/// A new room.
#[derive(Debug, Clone)]
pub struct AddRoom {
    /// Where.
    pub facility: FacilityId,
    /// Name, unique at the branch.
    pub name: String,
}

/// Adds a room.
pub async fn add_room(op: &Op<Write>, new: AddRoom) -> Result<room::Model> {
    op.actor().require_at(Permission::FACILITY_MANAGE, new.facility)?;
    let mut found = Violations::default();
    let name = text::line(&mut found, &["name"], &new.name, 100);
    found.check()?;
    let facility = facility::Entity::find_by_id(new.facility).one(op.db()).await?;
    if !facility.is_some_and(|facility| facility.active) {
        return Err(
            Violation::at(ViolationCode::NotFound, &["facilityId"], "There is no such branch.").into()
        );
    }

    let row = room::ActiveModel {
        id: Set(RoomId(op.new_id())),
        facility_id: Set(new.facility),
        name: Set(name),
        ..Default::default()
    };
    let added = room::Entity::insert_many([row])
        .on_conflict(
            OnConflict::columns([room::Column::FacilityId, room::Column::Name]).do_nothing().to_owned(),
        )
        .exec_with_returning(op.db())
        .await?
        .pop()
        .ok_or_else(|| {
            Violation::at(ViolationCode::AlreadyExists, &["name"], "Another room here has this name.")
        })?;
    op.record(Entry::done("room.add").on("Room", added.id.0, added.version));
    Ok(added)
}
