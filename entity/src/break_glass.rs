//! A declaration of emergency access to one patient.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{BreakGlassId, PatientId, UserId},
    place::ByPlace,
    value::{BreakGlassFinding, BreakGlassStatement, Sealed},
};

/// What kind of emergency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BreakGlassCategory {
    /// Life or health is in danger.
    ThreatToLife,
    /// Care can't wait.
    UrgentCare,
    /// The patient can't be asked.
    UnableToConsent,
    /// Standing in for a clinician of the patient.
    CoveringClinician,
    /// Something else, as the statement says.
    Other,
}

/// Where a declaration stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BreakGlassStatus {
    /// The record is open.
    Active,
    /// Ended before its time.
    Ended,
    /// Its time ran out.
    Expired,
    /// Reviewed: it was right.
    Justified,
    /// Reviewed: it was not.
    Unjustified,
}

/// A declaration of emergency access to one patient.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "break_glass")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: BreakGlassId,
    /// Grows by one with each write.
    pub version: i32,
    /// When the row was made, by the database's own clock.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// Who declared it.
    pub user_id: UserId,
    /// Whose record.
    pub patient_id: PatientId,
    /// What kind of emergency.
    pub category: BreakGlassCategory,
    /// Which classes of the record.
    pub classes: Vec<String>,
    /// Why, in words; sealed under the patient's key.
    pub statement: Sealed<BreakGlassStatement>,
    /// Where it stands; changes only by a legal transition.
    pub status: BreakGlassStatus,
    /// When it was declared.
    pub declared_at: DateTimeUtc,
    /// When it ends by itself.
    pub expires_at: DateTimeUtc,
    /// By when somebody else has to have looked at it.
    pub review_due_at: DateTimeUtc,
    /// When it was ended early.
    pub ended_at: Option<DateTimeUtc>,
    /// Who ended it early.
    pub ended_by: Option<UserId>,
    /// When the reviewers were told that they are late.
    pub overdue_told_at: Option<DateTimeUtc>,
    /// When it was reviewed.
    pub reviewed_at: Option<DateTimeUtc>,
    /// Who reviewed it.
    pub reviewed_by: Option<UserId>,
    /// What the review found, in words; sealed under the patient's key.
    pub finding: Option<Sealed<BreakGlassFinding>>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
