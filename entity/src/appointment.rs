//! A booked visit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{
        AppointmentId, AppointmentSeriesId, FacilityId, PatientId, PractitionerId, RoomId, VisitTypeId,
        WaitlistEntryId,
    },
    place::ByPlace,
    value::{AppointmentNote, Sealed},
};

/// How the visit takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Modality {
    /// At the clinic.
    #[sea_orm(string_value = "IN_PERSON")]
    #[serde(rename = "IN_PERSON")]
    InPerson,
    /// By video.
    #[sea_orm(string_value = "VIDEO")]
    #[serde(rename = "VIDEO")]
    Video,
    /// By telephone.
    #[sea_orm(string_value = "PHONE")]
    #[serde(rename = "PHONE")]
    Phone,
}

/// Where an appointment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum AppointmentStatus {
    /// Time is reserved.
    #[sea_orm(string_value = "BOOKED")]
    #[serde(rename = "BOOKED")]
    Booked,
    /// The patient confirmed.
    #[sea_orm(string_value = "CONFIRMED")]
    #[serde(rename = "CONFIRMED")]
    Confirmed,
    /// The patient has checked in at the desk.
    #[sea_orm(string_value = "CHECKED_IN")]
    #[serde(rename = "CHECKED_IN")]
    CheckedIn,
    /// The visit is under way.
    #[sea_orm(string_value = "IN_PROGRESS")]
    #[serde(rename = "IN_PROGRESS")]
    InProgress,
    /// The visit took place.
    #[sea_orm(string_value = "COMPLETED")]
    #[serde(rename = "COMPLETED")]
    Completed,
    /// Called off; the time is free again.
    #[sea_orm(string_value = "CANCELLED")]
    #[serde(rename = "CANCELLED")]
    Cancelled,
    /// The patient did not come.
    #[sea_orm(string_value = "NO_SHOW")]
    #[serde(rename = "NO_SHOW")]
    NoShow,
    /// The time is kept for somebody who has not said yes.
    #[sea_orm(string_value = "PENDING")]
    #[serde(rename = "PENDING")]
    Pending,
    /// The patient is at the clinic, and not at the desk yet.
    #[sea_orm(string_value = "ARRIVED")]
    #[serde(rename = "ARRIVED")]
    Arrived,
    /// The patient was shown to a room.
    #[sea_orm(string_value = "IN_ROOM")]
    #[serde(rename = "IN_ROOM")]
    InRoom,
    /// Nobody said yes in time; the time is free again.
    #[sea_orm(string_value = "EXPIRED")]
    #[serde(rename = "EXPIRED")]
    Expired,
    /// It should never have been booked.
    #[sea_orm(string_value = "ENTERED_IN_ERROR")]
    #[serde(rename = "ENTERED_IN_ERROR")]
    EnteredInError,
}

/// A booked visit.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "appointment")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AppointmentId,
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
    /// In which room.
    pub room_id: Option<RoomId>,
    /// The kind of visit.
    pub visit_type_id: Option<VisitTypeId>,
    /// In person, by video or by phone.
    pub modality: Modality,
    /// Where it stands; changes only by a legal transition.
    pub status: AppointmentStatus,
    /// Start, without the buffer before.
    pub starts_at: DateTimeUtc,
    /// End, without the buffer after.
    pub ends_at: DateTimeUtc,
    /// IANA zone of the facility when it was booked.
    #[sea_orm(column_type = "Text")]
    pub time_zone: String,
    /// Reasons, in words.
    pub note: Option<Sealed<AppointmentNote>>,
    /// Why it was cancelled, from HL7's appointment-cancellation-reason.
    #[sea_orm(column_type = "Text", nullable)]
    pub cancel_code: Option<String>,
    /// User who booked it.
    pub booked_by: Option<Uuid>,
    /// Until when the time is kept for somebody who has not said yes.
    pub hold_expires_at: Option<DateTimeUtc>,
    /// The series that it belongs to.
    pub series_id: Option<AppointmentSeriesId>,
    /// The entry of the waiting list that it was offered to.
    pub waitlist_entry_id: Option<WaitlistEntryId>,
    /// Booked on purpose beyond what its resources hold.
    pub overbooked: bool,
    /// Called off when less than the cut-off time was left.
    pub cancelled_late: bool,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
