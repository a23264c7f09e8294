//! Another organisation the clinic deals with.

use sea_orm::entity::prelude::*;

use crate::{ids::OrganizationId, place::ByPlace};

/// Another organisation the clinic deals with.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "organization")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OrganizationId,
    /// Grows by one with each write.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// Name.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// Kind, as its source names it.
    #[sea_orm(column_type = "Text", nullable)]
    pub kind: Option<String>,
    /// Telephone.
    #[sea_orm(column_type = "Text", nullable)]
    pub phone: Option<String>,
    /// Postal address, line by line.
    pub address_lines: Vec<String>,
    /// False once out of use.
    pub active: bool,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
