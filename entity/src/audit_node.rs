//! The root of a complete subtree of the audit log.

use sea_orm::entity::prelude::*;

use crate::place::ByPlace;

/// The root of a complete subtree of the audit log.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "audit_node")]
pub struct Model {
    /// Height: the subtree has two to this power leaves.
    #[sea_orm(primary_key, auto_increment = false)]
    pub level: i16,
    /// Which of its height, from zero.
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    /// RFC 6962 hash.
    pub hash: Vec<u8>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
