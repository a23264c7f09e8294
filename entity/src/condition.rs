//! A problem or diagnosis of a patient.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{ConditionId, EncounterId, PatientId, PractitionerId},
    place::ByPlace,
    value::{ConditionClinical, Sealed},
};

/// Where a condition belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum ConditionCategory {
    /// On the problem list.
    #[sea_orm(string_value = "PROBLEM_LIST_ITEM")]
    #[serde(rename = "PROBLEM_LIST_ITEM")]
    ProblemListItem,
    /// Diagnosed in one encounter.
    #[sea_orm(string_value = "ENCOUNTER_DIAGNOSIS")]
    #[serde(rename = "ENCOUNTER_DIAGNOSIS")]
    EncounterDiagnosis,
    /// Named by the patient or a carer.
    #[sea_orm(string_value = "HEALTH_CONCERN")]
    #[serde(rename = "HEALTH_CONCERN")]
    HealthConcern,
}

/// Whether the condition is present.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum ClinicalStatus {
    /// Present.
    #[sea_orm(string_value = "ACTIVE")]
    #[serde(rename = "ACTIVE")]
    Active,
    /// Came back.
    #[sea_orm(string_value = "RECURRENCE")]
    #[serde(rename = "RECURRENCE")]
    Recurrence,
    /// Came back after improvement.
    #[sea_orm(string_value = "RELAPSE")]
    #[serde(rename = "RELAPSE")]
    Relapse,
    /// Not present now.
    #[sea_orm(string_value = "INACTIVE")]
    #[serde(rename = "INACTIVE")]
    Inactive,
    /// Subsided.
    #[sea_orm(string_value = "REMISSION")]
    #[serde(rename = "REMISSION")]
    Remission,
    /// Gone.
    #[sea_orm(string_value = "RESOLVED")]
    #[serde(rename = "RESOLVED")]
    Resolved,
}

/// How sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum VerificationStatus {
    /// Not yet confirmed.
    #[sea_orm(string_value = "UNCONFIRMED")]
    #[serde(rename = "UNCONFIRMED")]
    Unconfirmed,
    /// Tentative.
    #[sea_orm(string_value = "PROVISIONAL")]
    #[serde(rename = "PROVISIONAL")]
    Provisional,
    /// One of several possible.
    #[sea_orm(string_value = "DIFFERENTIAL")]
    #[serde(rename = "DIFFERENTIAL")]
    Differential,
    /// Confirmed.
    #[sea_orm(string_value = "CONFIRMED")]
    #[serde(rename = "CONFIRMED")]
    Confirmed,
    /// Ruled out.
    #[sea_orm(string_value = "REFUTED")]
    #[serde(rename = "REFUTED")]
    Refuted,
    /// Recorded by mistake.
    #[sea_orm(string_value = "ENTERED_IN_ERROR")]
    #[serde(rename = "ENTERED_IN_ERROR")]
    EnteredInError,
}

/// A problem or diagnosis of a patient.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "condition")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ConditionId,
    /// Grows by one with each write.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// Whose.
    pub patient_id: PatientId,
    /// Where it was recorded.
    pub encounter_id: Option<EncounterId>,
    /// Who recorded it.
    pub recorder_id: Option<PractitionerId>,
    /// Problem list item or diagnosis of one encounter.
    pub category: ConditionCategory,
    /// Whether it is present.
    pub clinical_status: Option<ClinicalStatus>,
    /// How sure it is.
    pub verification_status: VerificationStatus,
    /// When it became known.
    pub recorded_at: Option<DateTimeUtc>,
    /// When it ended.
    pub abated_at: Option<DateTimeUtc>,
    /// What it is.
    pub clinical: Sealed<ConditionClinical>,
    /// Blind index of each code.
    pub code_tokens: Vec<Vec<u8>>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
