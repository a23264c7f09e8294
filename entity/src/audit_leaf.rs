//! An entry of the audit log in its place in the tree.

use sea_orm::entity::prelude::*;

use crate::{ids::AuditEntryId, place::ByPlace};

/// An entry of the audit log in its place in the tree.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "audit_leaf")]
pub struct Model {
    /// Place in the tree, from zero, without gaps.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    /// The entry.
    pub entry_id: AuditEntryId,
    /// RFC 6962 hash of the line.
    pub leaf_hash: Vec<u8>,
    /// SHA-256 of the line; the next line names it.
    pub line_hash: Vec<u8>,
    /// Whether the server itself wrote the entry.
    pub genuine: bool,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
