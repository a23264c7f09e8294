//! An allergy or intolerance of a patient, or the finding that there is none.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{AllergyId, EncounterId, PatientId, PractitionerId, UserId},
    place::ByPlace,
    value::{AllergyClinical, Sealed},
};

/// Where the statement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum AllergyStatus {
    /// Present.
    #[sea_orm(string_value = "ACTIVE")]
    #[serde(rename = "ACTIVE")]
    Active,
    /// Not a danger at present.
    #[sea_orm(string_value = "INACTIVE")]
    #[serde(rename = "INACTIVE")]
    Inactive,
    /// Gone.
    #[sea_orm(string_value = "RESOLVED")]
    #[serde(rename = "RESOLVED")]
    Resolved,
    /// Ruled out.
    #[sea_orm(string_value = "REFUTED")]
    #[serde(rename = "REFUTED")]
    Refuted,
    /// Recorded by mistake.
    #[sea_orm(string_value = "ENTERED_IN_ERROR")]
    #[serde(rename = "ENTERED_IN_ERROR")]
    EnteredInError,
}

/// An allergy or intolerance of a patient, or the finding that there is none.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "allergy")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AllergyId,
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
    pub status: AllergyStatus,
    /// True for the finding that there is none.
    pub none_known: bool,
    /// What is stated.
    pub clinical: Sealed<AllergyClinical>,
    /// Blind index of each code.
    pub code_tokens: Vec<Vec<u8>>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
