//! A medical specialty.

use sea_orm::entity::prelude::*;

use crate::{ids::SpecialtyId, place::ByPlace};

/// A medical specialty.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "specialty")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SpecialtyId,
    /// Code.
    #[sea_orm(column_type = "Text")]
    pub code: String,
    /// Name.
    #[sea_orm(column_type = "Text")]
    pub display: String,
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
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
