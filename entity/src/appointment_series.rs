//! Visits that recur.

use sea_orm::entity::prelude::*;

use crate::{
    ids::{AppointmentSeriesId, FacilityId, PatientId, PractitionerId},
    place::ByPlace,
};

/// Where a series stands.
#[derive(Copy, Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SeriesStatus {
    /// Its visits take place.
    Active,
    /// Those to come were called off.
    Cancelled,
    /// Another series took over.
    Replaced,
}

/// Visits that recur.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "appointment_series")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AppointmentSeriesId,
    /// Grows by one with each write.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// Who comes.
    pub patient_id: PatientId,
    /// Whom they see.
    pub practitioner_id: PractitionerId,
    /// At which branch.
    pub facility_id: FacilityId,
    /// When, by RFC 5545.
    #[sea_orm(column_type = "Text")]
    pub rule: String,
    /// First start, wall clock.
    pub starts_local: DateTime,
    /// IANA zone of the wall clock.
    #[sea_orm(column_type = "Text")]
    pub time_zone: String,
    /// Where it stands; changes only by a legal transition.
    pub status: SeriesStatus,
    /// The series that it took over from.
    pub replaces: Option<AppointmentSeriesId>,
    /// Starts that the rule names and that were not booked.
    pub skipped: Vec<DateTimeUtc>,
    /// User who booked it.
    pub booked_by: Option<Uuid>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
