//! What is written in a visit: assessment, plan, and reasons.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{DocumentId, EncounterId, PatientId, PractitionerId},
    place::ByPlace,
    value::{EncounterText, Sealed},
};

/// What a text is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum EncounterNoteKind {
    /// What the clinician makes of it.
    #[sea_orm(string_value = "ASSESSMENT")]
    #[serde(rename = "ASSESSMENT")]
    Assessment,
    /// What is to be done.
    #[sea_orm(string_value = "PLAN")]
    #[serde(rename = "PLAN")]
    Plan,
    /// Why the visit was interrupted.
    #[sea_orm(string_value = "HOLD")]
    #[serde(rename = "HOLD")]
    Hold,
    /// Why it did not take place.
    #[sea_orm(string_value = "CANCELLATION")]
    #[serde(rename = "CANCELLATION")]
    Cancellation,
    /// Why it was opened again.
    #[sea_orm(string_value = "REOPENING")]
    #[serde(rename = "REOPENING")]
    Reopening,
    /// Why it was closed although something was missing.
    #[sea_orm(string_value = "OVERRIDE")]
    #[serde(rename = "OVERRIDE")]
    Override,
}

/// One version of a text; none is ever overwritten.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "encounter_note")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The visit.
    pub encounter_id: EncounterId,
    /// Whose.
    pub patient_id: PatientId,
    /// What it is about.
    pub kind: EncounterNoteKind,
    /// From one, without a gap.
    pub version: i32,
    /// When it was written.
    pub recorded_at: DateTimeUtc,
    /// Who wrote it, if it was a clinician.
    pub recorded_by: Option<PractitionerId>,
    /// The text.
    pub body: Sealed<EncounterText>,
    /// The document that says it, if it was not recorded by itself.
    pub document_id: Option<DocumentId>,
    /// The version of that document.
    pub document_version: Option<i32>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
