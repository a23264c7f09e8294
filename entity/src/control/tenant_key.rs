//! The wrapped key of a tenant.

use sea_orm::entity::prelude::*;

use crate::{ids::TenantId, place::ByPlace};

/// The wrapped key of a tenant.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "tenant_key")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: TenantId,
    /// Key version.
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i32,
    /// Tenant key, wrapped by the key wrapper.
    pub wrapped: Vec<u8>,
    /// Which key wrapped it.
    #[sea_orm(column_type = "Text")]
    pub wrapper: String,
    /// When it was made.
    pub created_at: DateTimeUtc,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
