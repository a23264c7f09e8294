//! A named set of permissions.

use sea_orm::entity::prelude::*;

use crate::{ids::RoleId, place::ByPlace};

/// A named set of permissions.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "role")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RoleId,
    /// Grows by one with each write.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// Code, unique in the clinic.
    #[sea_orm(column_type = "Text")]
    pub code: String,
    /// Name.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// What it is for.
    #[sea_orm(column_type = "Text")]
    pub description: String,
    /// True once out of use.
    pub retired: bool,
    /// Key of the template item this row was seeded from.
    #[sea_orm(column_type = "Text", nullable)]
    pub template_key: Option<String>,
    /// Hash of that item, to see whether the template changed.
    #[sea_orm(column_type = "Text", nullable)]
    pub template_hash: Option<String>,
    /// True when the clinic changed the seeded row.
    pub customised: bool,
    /// Whoever holds it may do nothing before a second factor is shown.
    pub second_factor_required: bool,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
