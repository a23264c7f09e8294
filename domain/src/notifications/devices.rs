//! The devices on which a user is rung up.

use praxis_entity::{
    ids::PushDeviceId,
    push_device::{ActiveModel, Column, Entity, Model},
    value::PushAddress,
};
use praxis_platform::{Failure, Op, Write, audit::Entry, vault::IndexField};
use sea_orm::{
    ActiveValue::{Set, Unchanged},
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder,
    sea_query::Expr,
};

use crate::{Result, Violation, ViolationCode, clinic::text, error::Violations, page::any_of};

/// More devices nobody has at hand.
const MOST: usize = 20;

/// A device to be rung up.
#[derive(Clone)]
pub struct RegisterDevice {
    /// What its owner calls it.
    pub name: String,
    /// The address that its push service gave it.
    pub address: String,
}

/// Registers a device of the actor's. One that was somebody else's before rings for them no more.
pub async fn register_device(op: &Op<Write>, new: RegisterDevice) -> Result<Model> {
    let user = op.actor().user.ok_or(Failure::Unauthenticated)?;
    let mut found = Violations::default();
    let name = text::line(&mut found, &["name"], &new.name, 80);
    let address = new.address.trim();
    if address.len() > 2_000 || !url::Url::parse(address).is_ok_and(|url| url.has_host()) {
        found.add(ViolationCode::Invalid, &["address"], "This is not the address of a push service.");
    }
    found.check()?;
    let hash = op.token(IndexField::PushAddress, address).await?.unwrap_or_default();
    Entity::update_many()
        .col_expr(Column::RemovedAt, Expr::value(op.now()))
        .filter(Column::AddressHash.eq(hash.clone()))
        .filter(Column::RemovedAt.is_null())
        .exec(op.db())
        .await?;
    if own_devices(op).await?.len() >= MOST {
        let message = "There are too many devices; take one off first.";
        return Err(Violation::at(ViolationCode::OutOfRange, &["address"], message).into());
    }
    let (id, key) = (PushDeviceId(op.new_id()), op.clinic_key().await?);
    let place = op.place("push_device", id.0, op.tenant().uuid());
    let row = ActiveModel {
        id: Set(id),
        created_at: Set(op.now()),
        user_id: Set(user),
        name: Set(name),
        address: Set(op.seal(&key, &place, &PushAddress(address.to_owned()))?),
        address_hash: Set(hash),
        removed_at: Set(None),
    };
    let device = Entity::insert(row).exec_with_returning(op.db()).await?;
    op.record(Entry::done("push-device.register").on("PushDevice", id.0, 1));
    Ok(device)
}

/// Takes a device of the actor's off.
pub async fn remove_device(op: &Op<Write>, id: PushDeviceId) -> Result<Model> {
    let user = op.actor().user.ok_or(Failure::Unauthenticated)?;
    let found = Entity::find_by_id(id).one(op.db()).await?.filter(|device| device.user_id == user);
    let device =
        found.filter(|device| device.removed_at.is_none()).ok_or_else(|| Violation::unknown("id"))?;
    let row = ActiveModel { id: Unchanged(id), removed_at: Set(Some(op.now())), ..Default::default() };
    Entity::update(row).exec_without_returning(op.db()).await?;
    op.record(Entry::done("push-device.remove").on("PushDevice", id.0, 1));
    Ok(device)
}

/// The devices on which the actor is rung up.
pub async fn own_devices<M>(op: &Op<M>) -> Result<Vec<Model>> {
    let Some(user) = op.actor().user else { return Ok(Vec::new()) };
    let devices = Entity::find().filter(Column::UserId.eq(user)).filter(Column::RemovedAt.is_null());
    Ok(devices.order_by_asc(Column::Id).all(op.db()).await?)
}

/// Devices of the actor's by their ids, those taken off too; others are absent.
pub async fn devices_by_ids<M>(op: &Op<M>, ids: &[PushDeviceId]) -> Result<Vec<Model>> {
    let Some(user) = op.actor().user else { return Ok(Vec::new()) };
    let wanted = any_of(Column::Id, ids.iter().map(|id| id.0).collect());
    Ok(Entity::find().filter(wanted).filter(Column::UserId.eq(user)).all(op.db()).await?)
}
