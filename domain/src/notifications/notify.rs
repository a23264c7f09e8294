//! Writing notices down, and taking back those that are not true any more.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use praxis_entity::{
    channel_consent,
    ids::{AlertId, AppointmentId, DocumentId, NotificationId, PatientId, TaskId, UserId},
    notification::{ActiveModel, Channel, Column, Entity, NotificationStatus, SubjectKind, Topic},
    push_device,
};
use praxis_platform::{Op, Write, audit::Entry, literal::Literal, tenancy::Queue};
use sea_orm::{
    ActiveEnum,
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, QueryFilter,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

use super::{
    recipient::{Kind, Wishes, channels},
    send::MAX_ATTEMPTS,
};
use crate::{Result, page::any_of};

/// Rows of one statement.
const CHUNK: usize = 1_000;

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A booked visit.
    Appointment(AppointmentId),
    /// Something that somebody has to do.
    Task(TaskId),
    /// An alert about a patient.
    Alert(AlertId),
    /// A clinical document.
    Document(DocumentId),
}

impl Subject {
    /// The stored form.
    pub(super) fn stored(self) -> (SubjectKind, Uuid) {
        match self {
            Self::Appointment(id) => (SubjectKind::Appointment, id.0),
            Self::Task(id) => (SubjectKind::Task, id.0),
            Self::Alert(id) => (SubjectKind::Alert, id.0),
            Self::Document(id) => (SubjectKind::Document, id.0),
        }
    }
}

/// Whom to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Recipient {
    /// A member of staff.
    User(UserId),
    /// A patient.
    Patient(PatientId),
}

impl Recipient {
    fn parts(self) -> (Kind, Uuid) {
        match self {
            Self::User(id) => (Kind::User, id.0),
            Self::Patient(id) => (Kind::Patient, id.0),
        }
    }
}

/// Something to tell.
#[derive(Debug, Clone)]
pub struct Notice {
    /// What it is about.
    pub topic: Topic,
    /// About what in particular.
    pub subject: Subject,
    /// The time of the subject that it speaks of, if it speaks of one: it is sent only while that is so.
    pub about_at: Option<DateTime<Utc>>,
    /// Tells several notices about the same from each other, as the second of two reminders.
    pub occasion: String,
    /// When it is to be sent.
    pub due: DateTime<Utc>,
    /// When it is not worth sending any more.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whom to tell; whoever is told of it already is not told twice.
    pub to: Vec<Recipient>,
}

/// Writes a notice down for everybody who wants it, by every channel that is open to them. How many rows are new.
pub async fn notify(op: &Op<Write>, notice: &Notice) -> Result<u64> {
    notify_all(op, std::slice::from_ref(notice)).await
}

/// The same for many at once, with few statements.
pub async fn notify_all(op: &Op<Write>, notices: &[Notice]) -> Result<u64> {
    let told: HashSet<Recipient> = notices.iter().flat_map(|notice| notice.to.iter().copied()).collect();
    let ids: Vec<Uuid> = told.iter().map(|recipient| recipient.parts().1).collect();
    if ids.is_empty() {
        return Ok(0);
    }
    let wishes = Wishes::load(op, &ids).await?;
    let open = open_channels(op, &told).await?;
    let mut rows = Vec::new();
    for notice in notices {
        for recipient in &notice.to {
            let (kind, id) = recipient.parts();
            let wanted = |channel: &&Channel| {
                let needs_more = !matches!((kind, **channel), (Kind::User, Channel::InApp | Channel::Email));
                (!needs_more || open.contains(&(id, **channel)))
                    && wishes.want(kind, id, notice.topic, **channel)
            };
            rows.extend(
                channels(kind).iter().filter(wanted).map(|channel| row(op, notice, *recipient, *channel)),
            );
        }
    }
    let mut written = 0;
    for chunk in rows.chunks(CHUNK) {
        let once = OnConflict::column(Column::DedupeKey).do_nothing().to_owned();
        written +=
            Entity::insert_many(chunk.to_vec()).on_conflict(once).exec_without_returning(op.db()).await?;
    }
    if written > 0 {
        let mut patients: Vec<Uuid> = told
            .iter()
            .filter_map(|recipient| match recipient {
                Recipient::Patient(id) => Some(id.0),
                Recipient::User(_) => None,
            })
            .collect();
        patients.sort_unstable();
        let times = i32::try_from(written).unwrap_or(i32::MAX);
        op.record(Entry { times, patients, ..Entry::done("notification.plan") });
    }
    Ok(written)
}

/// The channels that are open only to some: patients who agreed, users with a device.
async fn open_channels(op: &Op<Write>, told: &HashSet<Recipient>) -> Result<HashSet<(Uuid, Channel)>> {
    let of = |wanted: Kind| {
        told.iter().map(|one| one.parts()).filter(move |(kind, _)| *kind == wanted).map(|(_, id)| id)
    };
    let patients: Vec<Uuid> = of(Kind::Patient).collect();
    let users: Vec<Uuid> = of(Kind::User).collect();
    let mut open = HashSet::new();
    if !patients.is_empty() {
        let consents = channel_consent::Entity::find()
            .filter(any_of(channel_consent::Column::PatientId, patients))
            .filter(channel_consent::Column::WithdrawnAt.is_null());
        open.extend(consents.all(op.db()).await?.into_iter().map(|row| (row.patient_id.0, row.channel)));
    }
    if !users.is_empty() {
        let devices = push_device::Entity::find()
            .filter(any_of(push_device::Column::UserId, users))
            .filter(push_device::Column::RemovedAt.is_null());
        open.extend(devices.all(op.db()).await?.into_iter().map(|row| (row.user_id.0, Channel::Push)));
    }
    Ok(open)
}

fn row(op: &Op<Write>, notice: &Notice, to: Recipient, channel: Channel) -> ActiveModel {
    let (subject_kind, subject_id) = notice.subject.stored();
    let (_, recipient) = to.parts();
    let now = op.now();
    // What is shown in the app rings nowhere: it is there at once.
    let there = channel == Channel::InApp && notice.due <= now;
    if !there {
        op.wake(Queue::Notices, notice.due);
    }
    let about = notice.about_at.map(|at| at.timestamp()).unwrap_or_default();
    let (topic, by, occasion) = (notice.topic.to_value(), channel.to_value(), &notice.occasion);
    ActiveModel {
        id: Set(NotificationId(op.new_id())),
        created_at: Set(now),
        updated_at: Set(now),
        topic: Set(notice.topic),
        subject_kind: Set(subject_kind),
        subject_id: Set(subject_id),
        about_at: Set(notice.about_at),
        user_id: Set(match to {
            Recipient::User(id) => Some(id),
            Recipient::Patient(_) => None,
        }),
        patient_id: Set(match to {
            Recipient::Patient(id) => Some(id),
            Recipient::User(_) => None,
        }),
        channel: Set(channel),
        dedupe_key: Set(format!("{topic}:{subject_id}:{about}:{occasion}:{recipient}:{by}")),
        status: Set(if there { NotificationStatus::Delivered } else { NotificationStatus::Scheduled }),
        scheduled_for: Set(notice.due),
        expires_at: Set(notice.expires_at),
        next_attempt_at: Set(notice.due),
        last_attempt: Set(MAX_ATTEMPTS),
        delivered_at: Set(there.then_some(now)),
        ..Default::default()
    }
}

/// Takes back what waits to be told of a subject, of these topics: it is not so any more. How many there were.
///
/// Nothing hangs on it: what is not so any more is found when it is to be sent, too.
pub async fn cancel(op: &Op<Write>, subject: Subject, topics: &[Topic], why: &'static str) -> Result<u64> {
    take_back(op, subject, topics, why, Condition::all()).await
}

/// The same of what speaks of another time than the subject has now.
pub(super) async fn cancel_other_times(
    op: &Op<Write>,
    subject: Subject,
    topics: &[Topic],
    now_at: DateTime<Utc>,
    why: &'static str,
) -> Result<u64> {
    take_back(op, subject, topics, why, Condition::all().add(Column::AboutAt.ne(now_at))).await
}

async fn take_back(
    op: &Op<Write>,
    subject: Subject,
    topics: &[Topic],
    why: &'static str,
    which: Condition,
) -> Result<u64> {
    let (kind, id) = subject.stored();
    let pending = [NotificationStatus::Scheduled, NotificationStatus::Failed];
    let cancelled = Entity::update_many()
        .col_expr(Column::Status, Expr::value(NotificationStatus::Cancelled.to_value()))
        .col_expr(Column::Reason, Expr::value(why))
        .filter(Column::SubjectId.eq(id))
        .filter(Column::SubjectKind.eq(kind))
        .filter(Column::Topic.is_in(topics.iter().copied()))
        .filter(Column::Status.is_one_of(&pending))
        .filter(which)
        .exec(op.db())
        .await?
        .rows_affected;
    if cancelled > 0 {
        op.record(Entry {
            times: i32::try_from(cancelled).unwrap_or(i32::MAX),
            ..Entry::done("notification.cancel")
        });
    }
    Ok(cancelled)
}
