//! What a patient allows or forbids.

use sea_orm::entity::prelude::*;

use crate::{
    ids::{ConsentId, FacilityId, PatientId, UserId},
    place::ByPlace,
};

/// Allows or forbids.
#[derive(Copy, Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ConsentDecision {
    /// Allows.
    Permit,
    /// Forbids.
    Deny,
}

/// Which part of the record.
#[derive(Copy, Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ConsentClass {
    /// The whole record: that there is a patient, too.
    All,
    /// Names, birth date and other demographic details.
    Identity,
    /// How the patient is reached.
    Contact,
    /// Numbers that authorities gave.
    Identifiers,
    /// Appointments and encounters.
    Visits,
    /// What was found and said.
    Clinical,
}

/// Whom it speaks of.
#[derive(Copy, Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ConsentScope {
    /// Anyone.
    Anyone,
    /// Whoever acts for a branch.
    Facility,
    /// Whoever holds a role.
    Role,
    /// One person.
    User,
}

/// What a patient allows or forbids.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "consent_directive")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ConsentId,
    /// Grows by one with each write.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// Whose.
    pub patient_id: PatientId,
    /// Allows or forbids.
    pub decision: ConsentDecision,
    /// Which part of the record.
    pub class: ConsentClass,
    /// Whom it speaks of.
    pub scope: ConsentScope,
    /// The branch, for that scope.
    pub facility_id: Option<FacilityId>,
    /// The role, for that scope.
    #[sea_orm(column_type = "Text", nullable)]
    pub role_code: Option<String>,
    /// The person, for that scope.
    pub user_id: Option<UserId>,
    /// From when on.
    pub starts_at: DateTimeUtc,
    /// Until when; open when absent.
    pub ends_at: Option<DateTimeUtc>,
    /// Who recorded it.
    pub recorded_by: Option<Uuid>,
    /// When it was taken back.
    pub revoked_at: Option<DateTimeUtc>,
    /// Who recorded that.
    pub revoked_by: Option<Uuid>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
