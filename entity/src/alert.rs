//! What a rule says about a patient, and what was replied.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{AlertId, EncounterId, PatientId, PractitionerId, RuleId, UserId},
    place::ByPlace,
    rule::AlertSeverity,
    value::{AlertWords, Sealed},
};

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AlertStatus {
    /// Nobody has replied.
    Open,
    /// Somebody has seen it.
    Acknowledged,
    /// Dealt with.
    Resolved,
    /// Gone against, for a reason.
    Overridden,
    /// Its time ran out.
    Expired,
}

/// Why somebody goes against an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OverrideReason {
    /// What is gained is more than what is risked.
    BenefitOutweighsRisk,
    /// Somebody has seen to it already.
    AlreadyAddressed,
    /// It does not fit this patient.
    NotApplicable,
    /// The patient wants it so.
    PatientPreference,
    /// What was measured or recorded is wrong.
    InaccurateData,
    /// Something else, as the words say.
    Other,
}

/// What a rule says about a patient, and what was replied.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "alert")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AlertId,
    /// Grows by one with each write.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// Whose.
    pub patient_id: PatientId,
    /// In which visit.
    pub encounter_id: Option<EncounterId>,
    /// The visit's clinician.
    pub practitioner_id: Option<PractitionerId>,
    /// The edition that says it.
    pub rule_id: RuleId,
    /// The evaluation that it came of.
    pub evaluation_id: Uuid,
    /// How grave.
    pub severity: AlertSeverity,
    /// Where it stands; changes only by a legal transition.
    pub status: AlertStatus,
    /// When it was raised.
    pub raised_at: DateTimeUtc,
    /// When its time runs out.
    pub expires_at: Option<DateTimeUtc>,
    /// When somebody said that they have seen it.
    pub acknowledged_at: Option<DateTimeUtc>,
    /// Who.
    pub acknowledged_by: Option<UserId>,
    /// When it was over.
    pub closed_at: Option<DateTimeUtc>,
    /// Who dealt with it.
    pub closed_by: Option<UserId>,
    /// Why somebody went against it.
    pub override_reason: Option<OverrideReason>,
    /// What was said in reply.
    pub words: Option<Sealed<AlertWords>>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
