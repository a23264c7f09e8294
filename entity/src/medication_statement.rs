//! A medication as the patient or a source states it.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{EncounterId, MedicationStatementId, PatientId, PractitionerId, UserId},
    place::ByPlace,
    value::{MedicationClinical, Sealed},
};

/// Where the statement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum MedicationStatus {
    /// Taken.
    #[sea_orm(string_value = "ACTIVE")]
    #[serde(rename = "ACTIVE")]
    Active,
    /// Paused.
    #[sea_orm(string_value = "ON_HOLD")]
    #[serde(rename = "ON_HOLD")]
    OnHold,
    /// Taken to the end.
    #[sea_orm(string_value = "COMPLETED")]
    #[serde(rename = "COMPLETED")]
    Completed,
    /// Stopped before its end.
    #[sea_orm(string_value = "STOPPED")]
    #[serde(rename = "STOPPED")]
    Stopped,
    /// Never taken.
    #[sea_orm(string_value = "NOT_TAKEN")]
    #[serde(rename = "NOT_TAKEN")]
    NotTaken,
    /// The source did not say.
    #[sea_orm(string_value = "UNKNOWN")]
    #[serde(rename = "UNKNOWN")]
    Unknown,
    /// Recorded by mistake.
    #[sea_orm(string_value = "ENTERED_IN_ERROR")]
    #[serde(rename = "ENTERED_IN_ERROR")]
    EnteredInError,
}

/// A medication as the patient or a source states it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "medication_statement")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MedicationStatementId,
    /// Grows by one with each write.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// Whose.
    pub patient_id: PatientId,
    /// In which encounter it was said.
    pub encounter_id: Option<EncounterId>,
    /// Who recorded it, as a clinician.
    pub recorder_id: Option<PractitionerId>,
    /// Who recorded it.
    pub recorded_by: Option<UserId>,
    /// When it became known.
    pub recorded_at: DateTimeUtc,
    /// Where it stands.
    pub status: MedicationStatus,
    /// What is stated.
    pub clinical: Sealed<MedicationClinical>,
    /// Blind index of each code.
    pub code_tokens: Vec<Vec<u8>>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
