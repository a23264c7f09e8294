//! A measurement or finding.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{EncounterId, ObservationId, PatientId, PractitionerId},
    place::ByPlace,
    value::{ObservationResult, Sealed},
};

/// Kind of observation, HL7 observation-category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum ObservationCategory {
    /// Vital sign.
    #[sea_orm(string_value = "VITAL_SIGNS")]
    #[serde(rename = "VITAL_SIGNS")]
    VitalSigns,
    /// Laboratory result.
    #[sea_orm(string_value = "LABORATORY")]
    #[serde(rename = "LABORATORY")]
    Laboratory,
    /// Answer to a questionnaire.
    #[sea_orm(string_value = "SURVEY")]
    #[serde(rename = "SURVEY")]
    Survey,
    /// Way of life.
    #[sea_orm(string_value = "SOCIAL_HISTORY")]
    #[serde(rename = "SOCIAL_HISTORY")]
    SocialHistory,
    /// Finding of an examination.
    #[sea_orm(string_value = "EXAM")]
    #[serde(rename = "EXAM")]
    Exam,
    /// Finding in an image.
    #[sea_orm(string_value = "IMAGING")]
    #[serde(rename = "IMAGING")]
    Imaging,
    /// Found during a procedure.
    #[sea_orm(string_value = "PROCEDURE")]
    #[serde(rename = "PROCEDURE")]
    Procedure,
    /// Found during therapy.
    #[sea_orm(string_value = "THERAPY")]
    #[serde(rename = "THERAPY")]
    Therapy,
    /// Bodily activity.
    #[sea_orm(string_value = "ACTIVITY")]
    #[serde(rename = "ACTIVITY")]
    Activity,
    /// None of these, or not given.
    #[sea_orm(string_value = "OTHER")]
    #[serde(rename = "OTHER")]
    Other,
}

/// How final an observation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum ObservationStatus {
    /// No result yet.
    #[sea_orm(string_value = "REGISTERED")]
    #[serde(rename = "REGISTERED")]
    Registered,
    /// May still change.
    #[sea_orm(string_value = "PRELIMINARY")]
    #[serde(rename = "PRELIMINARY")]
    Preliminary,
    /// Complete and verified.
    #[sea_orm(string_value = "FINAL")]
    #[serde(rename = "FINAL")]
    Final,
    /// Changed after it was final.
    #[sea_orm(string_value = "AMENDED")]
    #[serde(rename = "AMENDED")]
    Amended,
    /// Put right after it was final.
    #[sea_orm(string_value = "CORRECTED")]
    #[serde(rename = "CORRECTED")]
    Corrected,
    /// Not carried out.
    #[sea_orm(string_value = "CANCELLED")]
    #[serde(rename = "CANCELLED")]
    Cancelled,
    /// Recorded by mistake.
    #[sea_orm(string_value = "ENTERED_IN_ERROR")]
    #[serde(rename = "ENTERED_IN_ERROR")]
    EnteredInError,
    /// The source did not say.
    #[sea_orm(string_value = "UNKNOWN")]
    #[serde(rename = "UNKNOWN")]
    Unknown,
}

/// A measurement or finding.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "observation")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ObservationId,
    /// Grows by one with each write.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// Whose.
    pub patient_id: PatientId,
    /// Where it was made.
    pub encounter_id: Option<EncounterId>,
    /// Who made it.
    pub performer_id: Option<PractitionerId>,
    /// Vital sign, laboratory …
    pub category: ObservationCategory,
    /// How final it is.
    pub status: ObservationStatus,
    /// When it was true.
    pub effective_at: Option<DateTimeUtc>,
    /// When it became known.
    pub issued_at: Option<DateTimeUtc>,
    /// What was measured in one round with it.
    pub taken_together: Option<Uuid>,
    /// What was observed.
    pub result: Sealed<ObservationResult>,
    /// Blind index of each code.
    pub code_tokens: Vec<Vec<u8>>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
