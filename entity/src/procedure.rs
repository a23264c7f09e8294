//! A procedure that was done.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{EncounterId, PatientId, PractitionerId, ProcedureId, UserId},
    place::ByPlace,
    value::{ProcedureClinical, Sealed},
};

/// Where the statement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum ProcedureStatus {
    /// Under way.
    #[sea_orm(string_value = "IN_PROGRESS")]
    #[serde(rename = "IN_PROGRESS")]
    InProgress,
    /// Done.
    #[sea_orm(string_value = "COMPLETED")]
    #[serde(rename = "COMPLETED")]
    Completed,
    /// Ended before it was done.
    #[sea_orm(string_value = "STOPPED")]
    #[serde(rename = "STOPPED")]
    Stopped,
    /// Not done.
    #[sea_orm(string_value = "NOT_DONE")]
    #[serde(rename = "NOT_DONE")]
    NotDone,
    /// The source did not say.
    #[sea_orm(string_value = "UNKNOWN")]
    #[serde(rename = "UNKNOWN")]
    Unknown,
    /// Recorded by mistake.
    #[sea_orm(string_value = "ENTERED_IN_ERROR")]
    #[serde(rename = "ENTERED_IN_ERROR")]
    EnteredInError,
}

/// A procedure that was done.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "procedure")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ProcedureId,
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
    pub status: ProcedureStatus,
    /// What is stated.
    pub clinical: Sealed<ProcedureClinical>,
    /// Blind index of each code.
    pub code_tokens: Vec<Vec<u8>>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
