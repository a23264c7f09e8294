//! A version of a document, as it was signed. Nobody changes it.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{DocumentId, DocumentVersionId, PatientId, UserId},
    place::ByPlace,
    value::{DocumentBody, Sealed},
};

/// Why there is a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum VersionKind {
    /// The first.
    #[sea_orm(string_value = "ORIGINAL")]
    #[serde(rename = "ORIGINAL")]
    Original,
    /// Says something else, for a reason.
    #[sea_orm(string_value = "AMENDMENT")]
    #[serde(rename = "AMENDMENT")]
    Amendment,
    /// Says that the document should not be there, and why.
    #[sea_orm(string_value = "RETRACTION")]
    #[serde(rename = "RETRACTION")]
    Retraction,
    /// Came from elsewhere.
    #[sea_orm(string_value = "RECEIVED")]
    #[serde(rename = "RECEIVED")]
    Received,
}

/// A version of a document.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "document_version")]
pub struct Model {
    /// The document.
    #[sea_orm(primary_key, auto_increment = false)]
    pub document_id: DocumentId,
    /// From 1 on.
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i32,
    /// Id.
    #[sea_orm(unique)]
    pub id: DocumentVersionId,
    /// The version it takes the place of: the one before.
    pub supersedes: Option<i32>,
    /// Whether it is the one that counts.
    pub head: bool,
    /// Whose.
    pub patient_id: PatientId,
    /// Why there is one.
    pub kind: VersionKind,
    /// Who wrote it.
    pub author_id: Option<UserId>,
    /// When it was finished.
    pub authored_at: DateTimeUtc,
    /// What it says.
    pub body: Sealed<DocumentBody>,
    /// Hash of what it says, with its metadata and salt.
    pub sha256: Vec<u8>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
