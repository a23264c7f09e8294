//! How much the clinic has of something, and may have. Only the database counts.

use sea_orm::entity::prelude::*;

use crate::place::ByPlace;

/// How much the clinic has of something, and may have.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "quota")]
pub struct Model {
    /// Of what: `SEATS` or `STORAGE`.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub name: String,
    /// How much it has.
    pub used: i64,
    /// How much it may have; as much as there is when absent.
    pub most: Option<i64>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
