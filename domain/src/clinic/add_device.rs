//! Adding a device to a branch.

use praxis_entity::{
    device, facility,
    ids::{DeviceId, FacilityId},
};
use praxis_platform::{Op, Write, access::Permission, audit::Entry};
use sea_orm::{ActiveValue::Set, EntityTrait, sea_query::OnConflict};

use super::text;
use crate::{Result, Violation, ViolationCode, error::Violations};

/// A new device.
#[derive(Debug, Clone)]
pub struct AddDevice {
    /// Where.
    pub facility: FacilityId,
    /// What it is, as kinds of visit ask for it: `ULTRASOUND`.
    pub kind: String,
    /// Name, unique at the branch.
    pub name: String,
}

/// Adds a device.
pub async fn add_device(op: &Op<Write>, new: AddDevice) -> Result<device::Model> {
    op.actor().require_at(Permission::FACILITY_MANAGE, new.facility)?;
    let mut found = Violations::default();
    let name = text::line(&mut found, &["name"], &new.name, 100);
    if !is_device_kind(&new.kind) {
        found.add(ViolationCode::Invalid, &["kind"], "A kind is named by up to 40 capitals, as ULTRASOUND.");
    }
    found.check()?;
    let facility = facility::Entity::find_by_id(new.facility).one(op.db()).await?;
    if !facility.is_some_and(|facility| facility.active) {
        return Err(
            Violation::at(ViolationCode::NotFound, &["facilityId"], "There is no such branch.").into()
        );
    }
    let row = device::ActiveModel {
        id: Set(DeviceId(op.new_id())),
        facility_id: Set(new.facility),
        kind: Set(new.kind),
        name: Set(name),
        ..Default::default()
    };
    let added = device::Entity::insert_many([row])
        .on_conflict(
            OnConflict::columns([device::Column::FacilityId, device::Column::Name]).do_nothing().to_owned(),
        )
        .exec_with_returning(op.db())
        .await?
        .pop()
        .ok_or_else(|| {
            Violation::at(ViolationCode::AlreadyExists, &["name"], "Another device here has this name.")
        })?;
    op.record(Entry::done("device.add").on("Device", added.id.0, added.version));
    Ok(added)
}

/// Whether a text names a kind of device: up to 40 capitals, digits and underscores.
pub(crate) fn is_device_kind(text: &str) -> bool {
    let is_name = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    text.len() <= 40
        && text.starts_with(|first: char| first.is_ascii_uppercase())
        && text.bytes().all(is_name)
}
