//! A signature under a version of a document.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{DocumentId, PractitionerId, SignatureId, UserId},
    place::ByPlace,
};

/// What somebody says by signing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum SignatureMeaning {
    /// I wrote this.
    #[sea_orm(string_value = "AUTHOR")]
    #[serde(rename = "AUTHOR")]
    Author,
    /// I have read this, and answer for it too.
    #[sea_orm(string_value = "COSIGN")]
    #[serde(rename = "COSIGN")]
    Cosign,
}

/// A signature under a version of a document.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "document_signature")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SignatureId,
    /// The document.
    pub document_id: DocumentId,
    /// Its version.
    pub version: i32,
    /// Hash of what was signed.
    pub sha256: Vec<u8>,
    /// Who signed.
    pub signer_id: UserId,
    /// The same as a clinician.
    pub practitioner_id: Option<PractitionerId>,
    /// What they say by it.
    pub meaning: SignatureMeaning,
    /// Whether they had shown a second factor.
    pub second_factor: bool,
    /// When.
    pub signed_at: DateTimeUtc,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
