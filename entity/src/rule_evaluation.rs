//! What a rule found when it was asked.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{EncounterId, PatientId, PractitionerId, RuleId},
    place::ByPlace,
    value::{RuleExplanation, Sealed},
};

/// What a rule found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RuleResult {
    /// Its condition held.
    Fired,
    /// Its condition did not hold.
    NotFired,
    /// Nobody knows.
    NotChecked,
}

/// Why nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NotCheckedReason {
    /// Something that the condition asks for is not known of the patient.
    MissingFacts,
    /// The condition could not be judged.
    Error,
    /// The condition would have cost too much.
    Budget,
}

/// What a rule found when it was asked.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "rule_evaluation")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// When.
    pub at: DateTimeUtc,
    /// The edition that was asked.
    pub rule_id: RuleId,
    /// The event, or the attempt, that asked.
    pub cause_id: Uuid,
    /// Whose.
    pub patient_id: PatientId,
    /// In which visit.
    pub encounter_id: EncounterId,
    /// The visit's clinician.
    pub practitioner_id: Option<PractitionerId>,
    /// What it found.
    pub result: RuleResult,
    /// Why it found nothing out.
    pub reason: Option<NotCheckedReason>,
    /// The measurements of which its condition asks.
    pub measured: Vec<Uuid>,
    /// Keyed hash of the facts.
    pub inputs_hash: Vec<u8>,
    /// Facts, and which parts of the condition held.
    pub explanation: Sealed<RuleExplanation>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
