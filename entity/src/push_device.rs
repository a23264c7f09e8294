//! A device on which a user is rung up.

use sea_orm::entity::prelude::*;

use crate::{
    ids::{PushDeviceId, UserId},
    place::ByPlace,
    value::{PushAddress, Sealed},
};

/// A device on which a user is rung up.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "push_device")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PushDeviceId,
    /// When it was registered.
    pub created_at: DateTimeUtc,
    /// Whose.
    pub user_id: UserId,
    /// What its owner calls it.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// Where to ring it up; as good as the right to.
    pub address: Sealed<PushAddress>,
    /// Keyed hash of the address: one device, one row.
    pub address_hash: Vec<u8>,
    /// When it was taken off.
    pub removed_at: Option<DateTimeUtc>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
