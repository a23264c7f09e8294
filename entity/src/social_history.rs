//! How a patient lives.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{EncounterId, PatientId, PractitionerId, SocialHistoryId, UserId},
    place::ByPlace,
    value::{Sealed, SocialHistoryClinical},
};

/// Where the statement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum SocialHistoryStatus {
    /// As it was said last.
    #[sea_orm(string_value = "CURRENT")]
    #[serde(rename = "CURRENT")]
    Current,
    /// Something else was said later.
    #[sea_orm(string_value = "SUPERSEDED")]
    #[serde(rename = "SUPERSEDED")]
    Superseded,
    /// Recorded by mistake.
    #[sea_orm(string_value = "ENTERED_IN_ERROR")]
    #[serde(rename = "ENTERED_IN_ERROR")]
    EnteredInError,
}

/// How a patient lives.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "social_history")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SocialHistoryId,
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
    pub status: SocialHistoryStatus,
    /// What is stated.
    pub clinical: Sealed<SocialHistoryClinical>,
    /// Blind index of each code.
    pub code_tokens: Vec<Vec<u8>>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
