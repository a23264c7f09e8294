//! A notice to one recipient by one channel.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{NotificationId, PatientId, UserId},
    place::ByPlace,
};

/// What a notice is about.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    EnumIter,
    DeriveActiveEnum,
    Serialize,
    Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Topic {
    /// A visit was booked.
    #[sea_orm(string_value = "APPOINTMENT_BOOKED")]
    #[serde(rename = "APPOINTMENT_BOOKED")]
    AppointmentBooked,
    /// A visit was moved to another time.
    #[sea_orm(string_value = "APPOINTMENT_MOVED")]
    #[serde(rename = "APPOINTMENT_MOVED")]
    AppointmentMoved,
    /// A visit was called off.
    #[sea_orm(string_value = "APPOINTMENT_CANCELLED")]
    #[serde(rename = "APPOINTMENT_CANCELLED")]
    AppointmentCancelled,
    /// A visit is near.
    #[sea_orm(string_value = "APPOINTMENT_REMINDER")]
    #[serde(rename = "APPOINTMENT_REMINDER")]
    AppointmentReminder,
    /// Somebody is given a task.
    #[sea_orm(string_value = "TASK_ASSIGNED")]
    #[serde(rename = "TASK_ASSIGNED")]
    TaskAssigned,
    /// A task was not done in time.
    #[sea_orm(string_value = "TASK_ESCALATED")]
    #[serde(rename = "TASK_ESCALATED")]
    TaskEscalated,
    /// A rule raised an alert about a patient.
    #[sea_orm(string_value = "ALERT_RAISED")]
    #[serde(rename = "ALERT_RAISED")]
    AlertRaised,
    /// A document waits for a second signature.
    #[sea_orm(string_value = "DOCUMENT_TO_COSIGN")]
    #[serde(rename = "DOCUMENT_TO_COSIGN")]
    DocumentToCosign,
    /// A time that became free is held for somebody on the waiting list.
    #[sea_orm(string_value = "APPOINTMENT_OFFERED")]
    #[serde(rename = "APPOINTMENT_OFFERED")]
    AppointmentOffered,
}

/// By which way a notice goes.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    EnumIter,
    DeriveActiveEnum,
    Serialize,
    Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Channel {
    /// Shown in the clinic's own software.
    #[sea_orm(string_value = "IN_APP")]
    #[serde(rename = "IN_APP")]
    InApp,
    /// By e-mail.
    #[sea_orm(string_value = "EMAIL")]
    #[serde(rename = "EMAIL")]
    Email,
    /// As a text message.
    #[sea_orm(string_value = "SMS")]
    #[serde(rename = "SMS")]
    Sms,
    /// To a device, which then asks for it.
    #[sea_orm(string_value = "PUSH")]
    #[serde(rename = "PUSH")]
    Push,
}

/// Where a notice stands.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    EnumIter,
    DeriveActiveEnum,
    Serialize,
    Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum NotificationStatus {
    /// Waits for its time.
    #[sea_orm(string_value = "SCHEDULED")]
    #[serde(rename = "SCHEDULED")]
    Scheduled,
    /// In the hands of a worker.
    #[sea_orm(string_value = "SENDING")]
    #[serde(rename = "SENDING")]
    Sending,
    /// The provider took it.
    #[sea_orm(string_value = "SENT")]
    #[serde(rename = "SENT")]
    Sent,
    /// It arrived.
    #[sea_orm(string_value = "DELIVERED")]
    #[serde(rename = "DELIVERED")]
    Delivered,
    /// It was not taken and is tried again.
    #[sea_orm(string_value = "FAILED")]
    #[serde(rename = "FAILED")]
    Failed,
    /// It was given up.
    #[sea_orm(string_value = "DEAD")]
    #[serde(rename = "DEAD")]
    Dead,
    /// What it speaks of is not so any more.
    #[sea_orm(string_value = "CANCELLED")]
    #[serde(rename = "CANCELLED")]
    Cancelled,
    /// The recipient is not to be written to in this way.
    #[sea_orm(string_value = "SUPPRESSED")]
    #[serde(rename = "SUPPRESSED")]
    Suppressed,
}

/// What kind of thing a notice is about.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    EnumIter,
    DeriveActiveEnum,
    Serialize,
    Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum SubjectKind {
    /// A booked visit.
    #[sea_orm(string_value = "APPOINTMENT")]
    #[serde(rename = "APPOINTMENT")]
    Appointment,
    /// Something that somebody has to do.
    #[sea_orm(string_value = "TASK")]
    #[serde(rename = "TASK")]
    Task,
    /// An alert about a patient.
    #[sea_orm(string_value = "ALERT")]
    #[serde(rename = "ALERT")]
    Alert,
    /// A clinical document.
    #[sea_orm(string_value = "DOCUMENT")]
    #[serde(rename = "DOCUMENT")]
    Document,
}

/// A notice to one recipient by one channel.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, ByPlace)]
#[sea_orm(table_name = "notification")]
pub struct Model {
    /// Id; also the `Message-ID` of a mail, so that one sent twice can be told.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: NotificationId,
    /// Grows by one with each write.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// What it is about.
    pub topic: Topic,
    /// What kind of thing.
    pub subject_kind: SubjectKind,
    /// Which one.
    pub subject_id: Uuid,
    /// The time of the subject that it speaks of.
    pub about_at: Option<DateTimeUtc>,
    /// To whom, if it is a user.
    pub user_id: Option<UserId>,
    /// To whom, if it is a patient.
    pub patient_id: Option<PatientId>,
    /// By which way.
    pub channel: Channel,
    /// A second notice with the same key is not written.
    #[sea_orm(column_type = "Text")]
    pub dedupe_key: String,
    /// Where it stands; changes only by a legal transition.
    pub status: NotificationStatus,
    /// When it was to be sent, quiet hours apart.
    pub scheduled_for: DateTimeUtc,
    /// Afterwards it is not worth sending.
    pub expires_at: Option<DateTimeUtc>,
    /// How often somebody took it in hand.
    pub attempts: i32,
    /// After which of these it is given up.
    pub last_attempt: i32,
    /// When somebody looks at it next; while it is being sent, the end of the lease.
    pub next_attempt_at: DateTimeUtc,
    /// When the provider took it.
    pub sent_at: Option<DateTimeUtc>,
    /// When it arrived.
    pub delivered_at: Option<DateTimeUtc>,
    /// When its recipient read it, in the app.
    pub read_at: Option<DateTimeUtc>,
    /// Why it is where it is, as a code.
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
}

/// Joins are written where they are needed; none is declared here.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
