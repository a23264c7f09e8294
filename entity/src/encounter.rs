//! A visit that is planned, under way or over.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{AppointmentId, EncounterId, FacilityId, OrganizationId, PatientId, PractitionerId},
    place::ByPlace,
    value::{EncounterClinical, Sealed},
};

/// Setting of an encounter, HL7 v3 ActCode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum EncounterClass {
    /// Outpatient (AMB).
    #[sea_orm(string_value = "AMBULATORY")]
    #[serde(rename = "AMBULATORY")]
    Ambulatory,
    /// Admitted (IMP).
    #[sea_orm(string_value = "INPATIENT")]
    #[serde(rename = "INPATIENT")]
    Inpatient,
    /// Emergency department (EMER).
    #[sea_orm(string_value = "EMERGENCY")]
    #[serde(rename = "EMERGENCY")]
    Emergency,
    /// At the patient's home (HH).
    #[sea_orm(string_value = "HOME")]
    #[serde(rename = "HOME")]
    Home,
    /// By video or phone (VR).
    #[sea_orm(string_value = "VIRTUAL")]
    #[serde(rename = "VIRTUAL")]
    Virtual,
    /// Any other setting.
    #[sea_orm(string_value = "OTHER")]
    #[serde(rename = "OTHER")]
    Other,
}

/// Where an encounter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum EncounterStatus {
    /// Expected.
    #[sea_orm(string_value = "PLANNED")]
    #[serde(rename = "PLANNED")]
    Planned,
    /// The patient is here.
    #[sea_orm(string_value = "ARRIVED")]
    #[serde(rename = "ARRIVED")]
    Arrived,
    /// Urgency has been assessed.
    #[sea_orm(string_value = "TRIAGED")]
    #[serde(rename = "TRIAGED")]
    Triaged,
    /// Under way.
    #[sea_orm(string_value = "IN_PROGRESS")]
    #[serde(rename = "IN_PROGRESS")]
    InProgress,
    /// Interrupted.
    #[sea_orm(string_value = "ON_HOLD")]
    #[serde(rename = "ON_HOLD")]
    OnHold,
    /// Over.
    #[sea_orm(string_value = "CLOSED")]
    #[serde(rename = "CLOSED")]
    Closed,
    /// Did not take place.
    #[sea_orm(string_value = "CANCELLED")]
    #[serde(rename = "CANCELLED")]
    Cancelled,
}

/// A visit that is planned, under way or over.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "encounter")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EncounterId,
    /// Grows by one with each write.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// Whose.
    pub patient_id: PatientId,
    /// Who is responsible.
    pub practitioner_id: Option<PractitionerId>,
    /// At which branch.
    pub facility_id: Option<FacilityId>,
    /// Which other organisation provided it.
    pub organization_id: Option<OrganizationId>,
    /// The appointment it came from.
    pub appointment_id: Option<AppointmentId>,
    /// Ambulatory, inpatient, emergency …
    pub class: EncounterClass,
    /// Where it stands; changes only by a legal transition.
    pub status: EncounterStatus,
    /// When it is expected.
    pub planned_for: Option<DateTimeUtc>,
    /// Start.
    pub started_at: Option<DateTimeUtc>,
    /// End.
    pub ended_at: Option<DateTimeUtc>,
    /// When it was closed, if that was here.
    pub closed_at: Option<DateTimeUtc>,
    /// What it was about.
    pub clinical: Option<Sealed<EncounterClinical>>,
    /// Blind index of type and reason codes.
    pub code_tokens: Vec<Vec<u8>>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
