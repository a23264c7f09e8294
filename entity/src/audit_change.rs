//! Before and after of a change, sealed under the key of whom it concerns.

use sea_orm::entity::prelude::*;

use crate::{
    ids::AuditEntryId,
    place::ByPlace,
    value::{AuditChange, Sealed},
};

/// Before and after of a change, sealed under the key of whom it concerns.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "audit_change")]
pub struct Model {
    /// The entry it belongs to.
    #[sea_orm(primary_key, auto_increment = false)]
    pub entry_id: AuditEntryId,
    /// Patient, or the tenant for data of the clinic itself.
    pub subject: Uuid,
    /// Before and after.
    pub sealed: Sealed<AuditChange>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
