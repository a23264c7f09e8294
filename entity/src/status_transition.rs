//! A legal step of a state machine. The database enforces this table by trigger.

use sea_orm::entity::prelude::*;

use crate::place::ByPlace;

/// A legal step of a state machine: a change of status, or what is possible without one.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "status_transition")]
pub struct Model {
    /// The table whose status it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub machine: String,
    /// Status before; empty for a new row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub from_status: String,
    /// Status after.
    #[sea_orm(primary_key, auto_increment = false)]
    pub to_status: String,
    /// The mutation that takes the object there; empty where the API has none.
    #[sea_orm(primary_key, auto_increment = false)]
    pub action: String,
    /// Permission needed; empty where only the system may.
    #[sea_orm(column_type = "Text")]
    pub permission: String,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
