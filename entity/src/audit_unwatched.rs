//! Entries that a rule of alerts could not look at yet.

use sea_orm::entity::prelude::*;

use crate::place::ByPlace;

/// Entries that a rule of alerts could not look at yet.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "audit_unwatched")]
pub struct Model {
    /// The rule.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub kind: String,
    /// Place of the first entry.
    #[sea_orm(primary_key, auto_increment = false)]
    pub low: i64,
    /// The place after the last one.
    pub high: i64,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
