//! Which row a resource of an outside source became, so that importing twice adds nothing.

use sea_orm::entity::prelude::*;

use crate::place::ByPlace;

/// Which row a resource of an outside source became, so that importing twice adds nothing.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "import_source")]
pub struct Model {
    /// FHIR type.
    #[sea_orm(primary_key, auto_increment = false)]
    pub resource_type: String,
    /// Keyed hash of the source's own name for it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub source_token: Vec<u8>,
    /// The row here.
    pub local_id: Uuid,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
