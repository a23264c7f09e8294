//! A signed state of the audit log.

use sea_orm::entity::prelude::*;

use crate::place::ByPlace;

/// A signed state of the audit log.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "audit_checkpoint")]
pub struct Model {
    /// How many leaves it covers.
    #[sea_orm(primary_key, auto_increment = false)]
    pub size: i64,
    /// When it was signed.
    pub at: DateTimeUtc,
    /// Roots of the complete subtrees at the right edge, largest first.
    pub edge: Vec<u8>,
    /// SHA-256 of the last line.
    pub line_hash: Vec<u8>,
    /// C2SP checkpoint: signed note.
    #[sea_orm(column_type = "Text")]
    pub note: String,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
