//! A number by which an organisation is known elsewhere.

use sea_orm::entity::prelude::*;

use crate::{ids::OrganizationId, place::ByPlace};

/// A number by which an organisation is known elsewhere.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "organization_identifier")]
pub struct Model {
    /// URI of the naming system.
    #[sea_orm(primary_key, auto_increment = false)]
    pub system: String,
    /// The number.
    #[sea_orm(primary_key, auto_increment = false)]
    pub value: String,
    /// The organisation.
    pub organization_id: OrganizationId,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
