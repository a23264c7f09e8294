//! A clinical document: whose it is and where it stands. What it says is in its working copy or its versions.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{DocumentId, EncounterId, NoteTemplateId, PatientId, PractitionerId, UserId},
    place::ByPlace,
    value::{DocumentBody, Sealed},
};

/// Where a document stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum DocumentStatus {
    /// Being written.
    #[sea_orm(string_value = "DRAFT")]
    #[serde(rename = "DRAFT")]
    Draft,
    /// Signed by its author, and waiting for somebody to cosign.
    #[sea_orm(string_value = "IN_REVIEW")]
    #[serde(rename = "IN_REVIEW")]
    InReview,
    /// Signed.
    #[sea_orm(string_value = "SIGNED")]
    #[serde(rename = "SIGNED")]
    Signed,
    /// Signed anew with other content.
    #[sea_orm(string_value = "AMENDED")]
    #[serde(rename = "AMENDED")]
    Amended,
    /// Came from elsewhere; signed there, if at all.
    #[sea_orm(string_value = "RECEIVED")]
    #[serde(rename = "RECEIVED")]
    Received,
    /// Should not be there: another patient's, or a mistake.
    #[sea_orm(string_value = "ENTERED_IN_ERROR")]
    #[serde(rename = "ENTERED_IN_ERROR")]
    EnteredInError,
    /// Given up before it was signed.
    #[sea_orm(string_value = "DISCARDED")]
    #[serde(rename = "DISCARDED")]
    Discarded,
}

/// A clinical document.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "clinical_document")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DocumentId,
    /// Grows by one with each write.
    pub version: i32,
    /// When it was begun.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// Whose.
    pub patient_id: PatientId,
    /// In which encounter.
    pub encounter_id: Option<EncounterId>,
    /// LOINC document type.
    #[sea_orm(column_type = "Text")]
    pub type_code: String,
    /// The template it was begun from.
    pub template_id: Option<NoteTemplateId>,
    /// The version of the template.
    pub template_version: Option<i32>,
    /// Where it stands.
    pub status: DocumentStatus,
    /// Who writes it.
    pub author_id: Option<UserId>,
    /// The same as a clinician.
    pub practitioner_id: Option<PractitionerId>,
    /// The document that this one is an addendum to.
    pub addendum_to: Option<DocumentId>,
    /// The working copy, until it is signed.
    pub draft: Option<Sealed<DocumentBody>>,
    /// The session that edits.
    pub lease_holder: Option<Uuid>,
    /// Until when nobody else does.
    pub lease_until: Option<DateTimeUtc>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
