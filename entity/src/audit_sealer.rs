//! One row, locked by the server that seals the audit log.

use sea_orm::entity::prelude::*;

use crate::place::ByPlace;

/// One row, locked by the server that seals the audit log.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "audit_sealer")]
pub struct Model {
    /// There is one.
    #[sea_orm(primary_key, auto_increment = false)]
    pub only_one: bool,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
