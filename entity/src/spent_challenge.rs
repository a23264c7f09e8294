//! A challenge that was answered.

use sea_orm::entity::prelude::*;

use crate::place::ByPlace;

/// A challenge that was answered.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "spent_challenge")]
pub struct Model {
    /// Keyed hash of it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: Vec<u8>,
    /// When it would have expired.
    pub expires_at: DateTimeUtc,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
