//! Somebody who cares for a patient.

use sea_orm::entity::prelude::*;

use crate::{
    ids::{CareTeamMemberId, PatientId, PractitionerId, UserId},
    place::ByPlace,
};

/// As what somebody cares for a patient.
#[derive(Copy, Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CareTeamRole {
    /// The patient's own doctor.
    PrimaryCare,
    /// The doctor in charge now.
    Attending,
    /// Was asked for advice.
    Consultant,
    /// Nurse.
    Nurse,
    /// Therapist.
    Therapist,
    /// Holds the threads together.
    CaseManager,
    /// Anything else.
    Other,
}

/// Somebody who cares for a patient: a clinician, or another user.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "care_team_member")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CareTeamMemberId,
    /// Grows by one with each write.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// Whose.
    pub patient_id: PatientId,
    /// The clinician; absent for another user.
    pub practitioner_id: Option<PractitionerId>,
    /// The user; absent for a clinician.
    pub user_id: Option<UserId>,
    /// As what.
    pub role: CareTeamRole,
    /// From when on.
    pub starts_at: DateTimeUtc,
    /// Until when; open when absent.
    pub ends_at: Option<DateTimeUtc>,
    /// Who said so.
    pub added_by: Option<Uuid>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
