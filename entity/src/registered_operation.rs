//! A document that may be called by its id.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{ids::RegisteredOperationId, place::ByPlace};

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OperationKind {
    /// It reads.
    #[sea_orm(string_value = "QUERY")]
    Query,
    /// It changes.
    #[sea_orm(string_value = "MUTATION")]
    Mutation,
}

/// Whether it may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OperationStatus {
    /// It may be called.
    #[sea_orm(string_value = "ACTIVE")]
    Active,
    /// It may not be called any more.
    #[sea_orm(string_value = "RETIRED")]
    Retired,
}

/// A document that may be called by its id. Its text never changes.
///
/// The schema of a clinic holds its own; the control schema holds those of all clinics, in a table
/// of the same name and shape.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "registered_operation")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RegisteredOperationId,
    /// The id by which clients call it.
    #[sea_orm(column_type = "Text")]
    pub document_id: String,
    /// SHA-256 of the text, in hexadecimal.
    #[sea_orm(column_type = "Text")]
    pub sha256: String,
    /// Name of the operation.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// What it does.
    pub kind: OperationKind,
    /// The text.
    #[sea_orm(column_type = "Text")]
    pub body: String,
    /// What it costs with the defaults of its variables.
    pub cost: i64,
    /// How deep its fields lie.
    pub depth: i32,
    /// May be sent by GET.
    pub by_get: bool,
    /// Whether it may be called.
    pub status: OperationStatus,
    /// When it was registered.
    pub created_at: DateTimeUtc,
    /// When it was retired.
    pub retired_at: Option<DateTimeUtc>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
