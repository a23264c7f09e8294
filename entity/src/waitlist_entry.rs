//! Somebody who waits for a time.

use sea_orm::entity::prelude::*;

use crate::{
    appointment::Modality,
    ids::{AppointmentId, FacilityId, PatientId, PractitionerId, VisitTypeId, WaitlistEntryId},
    place::ByPlace,
};

/// How pressing it is.
#[derive(Copy, Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WaitlistPriority {
    /// Before all others.
    Urgent,
    /// Before those who can wait.
    Soon,
    /// In turn.
    Routine,
}

/// Where an entry stands.
#[derive(Copy, Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WaitlistStatus {
    /// They wait.
    Waiting,
    /// A time is held for them.
    Offered,
    /// They took it.
    Booked,
    /// They wait no longer.
    Removed,
}

/// Somebody who waits for a time.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "waitlist_entry")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WaitlistEntryId,
    /// Grows by one with each write.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// Who waits.
    pub patient_id: PatientId,
    /// For whom; anybody when absent.
    pub practitioner_id: Option<PractitionerId>,
    /// At which branch; any when absent.
    pub facility_id: Option<FacilityId>,
    /// For which kind of visit.
    pub visit_type_id: Option<VisitTypeId>,
    /// In person, by video or by phone.
    pub modality: Modality,
    /// Length without buffers.
    pub duration_minutes: i32,
    /// They can come from then on.
    pub earliest: DateTimeUtc,
    /// Until then.
    pub latest: DateTimeUtc,
    /// How pressing it is.
    pub priority: WaitlistPriority,
    /// Where it stands; changes only by a legal transition.
    pub status: WaitlistStatus,
    /// The visit that is held for them, or was booked.
    pub appointment_id: Option<AppointmentId>,
    /// User who put them on the list.
    pub added_by: Option<Uuid>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
