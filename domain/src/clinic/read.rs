//! What the clinic itself is, read in batches.

use praxis_entity::{
    device, facility,
    ids::{DeviceId, FacilityId, OrganizationId, RoomId, SpecialtyId, VisitTypeId},
    organization, room, specialty, visit_type,
};
use praxis_platform::{Op, access::Permission};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::{Result, page::any_of};

/// All branches, by code.
pub async fn facilities<M>(op: &Op<M>) -> Result<Vec<facility::Model>> {
    op.require(Permission::FACILITY_READ)?;
    Ok(facility::Entity::find().order_by_asc(facility::Column::Code).all(op.db()).await?)
}

/// The branches with these ids.
pub async fn facilities_by_ids<M>(op: &Op<M>, ids: &[FacilityId]) -> Result<Vec<facility::Model>> {
    op.require(Permission::FACILITY_READ)?;
    let wanted = any_of(facility::Column::Id, ids.iter().map(|id| id.0).collect());
    Ok(facility::Entity::find().filter(wanted).all(op.db()).await?)
}

/// All rooms, branch by branch.
pub async fn rooms<M>(op: &Op<M>) -> Result<Vec<room::Model>> {
    op.require(Permission::FACILITY_READ)?;
    let rooms = room::Entity::find().order_by_asc(room::Column::FacilityId).order_by_asc(room::Column::Name);
    Ok(rooms.all(op.db()).await?)
}

/// The rooms with these ids.
pub async fn rooms_by_ids<M>(op: &Op<M>, ids: &[RoomId]) -> Result<Vec<room::Model>> {
    op.require(Permission::FACILITY_READ)?;
    let wanted = any_of(room::Column::Id, ids.iter().map(|id| id.0).collect());
    Ok(room::Entity::find().filter(wanted).all(op.db()).await?)
}

/// All devices, branch by branch.
pub async fn devices<M>(op: &Op<M>) -> Result<Vec<device::Model>> {
    op.require(Permission::FACILITY_READ)?;
    let devices = device::Entity::find()
        .order_by_asc(device::Column::FacilityId)
        .order_by_asc(device::Column::Kind)
        .order_by_asc(device::Column::Name);
    Ok(devices.all(op.db()).await?)
}

/// The devices with these ids.
pub async fn devices_by_ids<M>(op: &Op<M>, ids: &[DeviceId]) -> Result<Vec<device::Model>> {
    op.require(Permission::FACILITY_READ)?;
    let wanted = any_of(device::Column::Id, ids.iter().map(|id| id.0).collect());
    Ok(device::Entity::find().filter(wanted).all(op.db()).await?)
}

/// The kinds of visit in use, by name.
pub async fn visit_types<M>(op: &Op<M>) -> Result<Vec<visit_type::Model>> {
    op.require(Permission::FACILITY_READ)?;
    let in_use = visit_type::Entity::find().filter(visit_type::Column::Retired.eq(false));
    Ok(in_use
        .order_by_asc(visit_type::Column::Name)
        .order_by_asc(visit_type::Column::Id)
        .all(op.db())
        .await?)
}

/// The kinds of visit with these ids, also those out of use.
pub async fn visit_types_by_ids<M>(op: &Op<M>, ids: &[VisitTypeId]) -> Result<Vec<visit_type::Model>> {
    op.require(Permission::FACILITY_READ)?;
    let wanted = any_of(visit_type::Column::Id, ids.iter().map(|id| id.0).collect());
    Ok(visit_type::Entity::find().filter(wanted).all(op.db()).await?)
}

/// The specialties with these ids.
pub async fn specialties_by_ids<M>(op: &Op<M>, ids: &[SpecialtyId]) -> Result<Vec<specialty::Model>> {
    op.require(Permission::STAFF_READ)?;
    let wanted = any_of(specialty::Column::Id, ids.iter().map(|id| id.0).collect());
    Ok(specialty::Entity::find().filter(wanted).all(op.db()).await?)
}

/// The organisations with these ids.
pub async fn organizations_by_ids<M>(op: &Op<M>, ids: &[OrganizationId]) -> Result<Vec<organization::Model>> {
    op.require(Permission::FACILITY_READ)?;
    let wanted = any_of(organization::Column::Id, ids.iter().map(|id| id.0).collect());
    Ok(organization::Entity::find().filter(wanted).all(op.db()).await?)
}
