//! A permission that the clinic asks for in addition to the platform's.

use sea_orm::entity::prelude::*;

use crate::{ids::FieldPolicyId, place::ByPlace};

/// A permission that the clinic asks for in addition to the platform's.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "field_policy")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FieldPolicyId,
    /// GraphQL type.
    #[sea_orm(column_type = "Text")]
    pub type_name: String,
    /// GraphQL field.
    #[sea_orm(column_type = "Text")]
    pub field_name: String,
    /// Permission that is needed in addition.
    #[sea_orm(column_type = "Text")]
    pub permission: String,
    /// The relation that must hold as well; empty for none.
    #[sea_orm(column_type = "Text")]
    pub condition: String,
    /// Why.
    #[sea_orm(column_type = "Text")]
    pub reason: String,
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
