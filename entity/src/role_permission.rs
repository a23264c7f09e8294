//! A permission that a role holds.

use sea_orm::entity::prelude::*;

use crate::{ids::RoleId, place::ByPlace};

/// A permission that a role holds.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "role_permission")]
pub struct Model {
    /// The role.
    #[sea_orm(primary_key, auto_increment = false)]
    pub role_id: RoleId,
    /// Permission code.
    #[sea_orm(primary_key, auto_increment = false)]
    pub permission: String,
    /// The relation that must hold for it; empty for none.
    #[sea_orm(column_type = "Text")]
    pub condition: String,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
