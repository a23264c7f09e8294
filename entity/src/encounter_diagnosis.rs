//! What a visit came to: a condition with its rank and use there.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{ConditionId, DiagnosisId, EncounterId, PatientId},
    place::ByPlace,
};

/// What a diagnosis is for, FHIR diagnosis-role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum DiagnosisUse {
    /// Admission diagnosis.
    #[sea_orm(string_value = "AD")]
    #[serde(rename = "AD")]
    Admission,
    /// Discharge diagnosis.
    #[sea_orm(string_value = "DD")]
    #[serde(rename = "DD")]
    Discharge,
    /// Chief complaint.
    #[sea_orm(string_value = "CC")]
    #[serde(rename = "CC")]
    ChiefComplaint,
    /// Comorbidity.
    #[sea_orm(string_value = "CM")]
    #[serde(rename = "CM")]
    Comorbidity,
    /// Before an operation.
    #[sea_orm(string_value = "PRE_OP")]
    #[serde(rename = "PRE_OP")]
    PreOperative,
    /// After an operation.
    #[sea_orm(string_value = "POST_OP")]
    #[serde(rename = "POST_OP")]
    PostOperative,
    /// For the bill.
    #[sea_orm(string_value = "BILLING")]
    #[serde(rename = "BILLING")]
    Billing,
}

/// Whether it still counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum DiagnosisStatus {
    /// Made.
    #[sea_orm(string_value = "RECORDED")]
    #[serde(rename = "RECORDED")]
    Recorded,
    /// Taken back, or made again with another rank or use.
    #[sea_orm(string_value = "WITHDRAWN")]
    #[serde(rename = "WITHDRAWN")]
    Withdrawn,
}

/// What a visit came to.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "encounter_diagnosis")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DiagnosisId,
    /// Grows by one with each write.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// In which visit.
    pub encounter_id: EncounterId,
    /// Whose.
    pub patient_id: PatientId,
    /// What it is.
    pub condition_id: ConditionId,
    /// Whether it still counts.
    pub status: DiagnosisStatus,
    /// 1 for the one that the visit was mainly about.
    pub rank: i32,
    /// What it is for.
    #[sea_orm(column_name = "use")]
    pub purpose: DiagnosisUse,
    /// Keyed hash of the code: none is there twice.
    pub code_token: Vec<u8>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
