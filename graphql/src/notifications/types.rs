//! Notices as their recipients see them, and as those who look after them do.

use async_graphql::{Context, Enum, ID, Object};
use praxis_domain::Position;
use praxis_entity::{
    ids::{AlertId, AnyId, AppointmentId, DocumentId, TaskId},
    notification::{self, SubjectKind},
    notification_template,
};

use sea_orm::ActiveEnum;

use crate::{
    allowed,
    context::Ask,
    error::{ApiError, Nullable},
    ids,
    node::{self, Node},
    page::connection,
    scalar::DateTime,
};

/// What a notice is about.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "notification::Topic")]
pub(crate) enum NotificationTopic {
    /// A visit was booked.
    AppointmentBooked,
    /// A visit was moved to another time.
    AppointmentMoved,
    /// A visit was called off.
    AppointmentCancelled,
    /// A visit is near.
    AppointmentReminder,
    /// Somebody is given a task.
    TaskAssigned,
    /// A task was not done in time.
    TaskEscalated,
    /// A rule raised an alert about a patient.
    AlertRaised,
    /// A document waits for a second signature.
    DocumentToCosign,
    /// A time that became free is held for somebody on the waiting list.
    AppointmentOffered,
}

/// By which way a notice goes.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "notification::Channel")]
pub(crate) enum NotificationChannel {
    /// Shown in the clinic's own software.
    InApp,
    /// By e-mail.
    Email,
    /// As a text message.
    Sms,
    /// To a device, which then asks for it.
    Push,
}

/// Where a notice stands.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "notification::NotificationStatus")]
pub(crate) enum NotificationStatus {
    /// Waits for its time.
    Scheduled,
    /// In the hands of a worker.
    Sending,
    /// The provider took it.
    Sent,
    /// It arrived.
    Delivered,
    /// It was not taken and is tried again.
    Failed,
    /// It was given up.
    Dead,
    /// What it speaks of is not so any more.
    Cancelled,
    /// The recipient is not to be written to in this way.
    Suppressed,
}

/// A notice to the viewer.
pub(crate) struct Notification {
    row: notification::Model,
    text: String,
}

impl Notification {
    pub(super) fn new(row: notification::Model, text: String) -> Self {
        Self { row, text }
    }

    fn about(&self) -> AnyId {
        let id = self.row.subject_id;
        match self.row.subject_kind {
            SubjectKind::Appointment => AnyId::AppointmentId(AppointmentId(id)),
            SubjectKind::Task => AnyId::TaskId(TaskId(id)),
            SubjectKind::Alert => AnyId::AlertId(AlertId(id)),
            SubjectKind::Document => AnyId::DocumentId(DocumentId(id)),
        }
    }
}

/// A notice to the viewer.
#[Object]
impl Notification {
    /// Opaque id.
    async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// What it is about.
    fn topic(&self) -> NotificationTopic {
        self.row.topic.into()
    }

    /// In words of the viewer's language. It says nothing of a patient.
    fn text(&self) -> &str {
        &self.text
    }

    /// Opaque id of what it is about.
    fn subject_id(&self) -> ID {
        ID(self.about().to_string())
    }

    /// What it is about; null where the viewer may not know of it, or it is not there any more.
    async fn subject(&self, ctx: &Context<'_>) -> Nullable<Node> {
        async { node::find(ctx.caller()?, self.about()).await }.await.transpose()
    }

    /// The time of the subject that it speaks of, if it speaks of one.
    fn about_at(&self) -> Option<DateTime> {
        self.row.about_at.map(DateTime)
    }

    /// When the viewer read it.
    fn read_at(&self) -> Option<DateTime> {
        self.row.read_at.map(DateTime)
    }
}

connection!(
    /// Notices to the viewer.
    NotificationConnection,
    NotificationEdge,
    Notification
);

/// What became of a notice, to whomever.
pub(crate) struct NotificationDelivery {
    row: notification::Model,
}

impl NotificationDelivery {
    pub(super) fn new(row: notification::Model) -> Self {
        Self { row }
    }

    pub(super) fn position(row: &notification::Model) -> Position {
        Position { key: None, id: row.id.0 }
    }
}

/// What became of a notice, to whomever. It says of nobody more than that there was one.
#[Object]
impl NotificationDelivery {
    /// Opaque id.
    async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// What it is about.
    fn topic(&self) -> NotificationTopic {
        self.row.topic.into()
    }

    /// By which way it goes.
    fn channel(&self) -> NotificationChannel {
        self.row.channel.into()
    }

    /// Whether it goes to a patient; to a user otherwise.
    fn to_patient(&self) -> bool {
        self.row.patient_id.is_some()
    }

    /// Where it stands.
    fn status(&self) -> NotificationStatus {
        self.row.status.into()
    }

    /// When it was to be sent, quiet hours apart.
    fn scheduled_for(&self) -> DateTime {
        DateTime(self.row.scheduled_for)
    }

    /// How often somebody took it in hand.
    fn attempts(&self) -> i32 {
        self.row.attempts
    }

    /// When it is looked at next, while it is neither sent nor given up.
    fn next_attempt_at(&self) -> Option<DateTime> {
        use notification::NotificationStatus::{Failed, Scheduled, Sending};
        matches!(self.row.status, Scheduled | Sending | Failed).then_some(DateTime(self.row.next_attempt_at))
    }

    /// When the provider took it.
    fn sent_at(&self) -> Option<DateTime> {
        self.row.sent_at.map(DateTime)
    }

    /// When it arrived.
    fn delivered_at(&self) -> Option<DateTime> {
        self.row.delivered_at.map(DateTime)
    }

    /// Why it is where it is, as a code.
    fn reason(&self) -> Option<&str> {
        self.row.reason.as_deref()
    }

    /// The mutations that the viewer may run on it as it stands.
    async fn allowed_actions(&self, ctx: &Context<'_>) -> Result<Vec<String>, ApiError> {
        let caller = ctx.caller()?;
        let may = |permission| caller.actor().may(permission);
        allowed::open(caller, "notification", &self.row.status.to_value(), may).await
    }
}

connection!(
    /// What became of notices, to whomever.
    NotificationDeliveryConnection,
    NotificationDeliveryEdge,
    NotificationDelivery
);

/// The clinic's own words for a topic, channel and locale.
pub(crate) struct NotificationTemplate {
    row: notification_template::Model,
}

impl NotificationTemplate {
    pub(super) fn new(row: notification_template::Model) -> Self {
        Self { row }
    }
}

/// The clinic's own words for a topic, channel and locale.
#[Object]
impl NotificationTemplate {
    /// Opaque id of this version.
    async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// Grows by one with each change; send it back as `ifVersion`.
    async fn version(&self) -> i32 {
        self.row.version
    }

    /// When this version was written.
    async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// The user who wrote it.
    fn created_by(&self) -> Option<ID> {
        self.row.created_by.map(ids::show)
    }

    /// What it is about.
    fn topic(&self) -> NotificationTopic {
        self.row.topic.into()
    }

    /// By which way it goes.
    fn channel(&self) -> NotificationChannel {
        self.row.channel.into()
    }

    /// BCP 47.
    fn locale(&self) -> &str {
        &self.row.locale
    }

    /// Subject of a mail.
    fn subject(&self) -> Option<&str> {
        self.row.subject.as_deref()
    }

    /// The words, with places for what differs, as `{{ date }}`.
    fn body(&self) -> &str {
        &self.row.body
    }
}
