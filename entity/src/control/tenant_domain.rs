//! A host name of a tenant's own.

use sea_orm::entity::prelude::*;

use crate::{ids::TenantId, place::ByPlace};

/// A host name of a tenant's own.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "tenant_domain")]
pub struct Model {
    /// Host name, lower case, without port.
    #[sea_orm(primary_key, auto_increment = false)]
    pub host: String,
    /// The tenant.
    pub tenant_id: TenantId,
    /// When the clinic proved that it owns it.
    pub verified_at: Option<DateTimeUtc>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
