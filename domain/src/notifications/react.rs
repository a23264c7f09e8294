//! What is told when something happened. Each is run in a transaction of its own, once for each event.

mod staff;

pub use staff::{alert_changed, document_changed, task_changed};

use chrono::{DateTime, Utc};
use praxis_entity::{
    appointment,
    ids::{AlertId, AppointmentId, DocumentId, TaskId, UserId},
    notification::Topic,
    user_account,
};
use praxis_platform::{Op, Write};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{
    judge::still_comes,
    notify::{Notice, Recipient, Subject, cancel, cancel_other_times, notify},
};
use crate::{
    Result,
    event::{Event, Recorded},
};

/// What speaks of a visit that is to take place at a time.
const OF_A_TIME: [Topic; 3] = [Topic::AppointmentBooked, Topic::AppointmentMoved, Topic::AppointmentReminder];

/// A visit was booked, moved or called off, or it is time to remind of it.
pub async fn appointment_changed(op: &Op<Write>, recorded: &Recorded) -> Result<()> {
    let by = recorded.actor.map(UserId);
    match recorded.event {
        Event::AppointmentBooked { appointment, .. } => appointment_booked(op, appointment, by).await,
        Event::AppointmentRescheduled { appointment, .. } => appointment_moved(op, appointment, by).await,
        Event::AppointmentCancelled { appointment, .. }
        | Event::AppointmentEnteredInError { appointment, .. } => {
            appointment_cancelled(op, appointment, by).await
        }
        Event::WaitlistOffered { appointment, .. } => offered(op, appointment).await,
        Event::AppointmentReminderDue { appointment, starts_at, .. } => {
            // Each reminder is an event of its own.
            reminder_due(op, appointment, starts_at, &recorded.id.to_string()).await
        }
        _ => Ok(()),
    }
}

/// A visit was booked: the patient and the clinician learn of it.
pub async fn appointment_booked(op: &Op<Write>, id: AppointmentId, by: Option<UserId>) -> Result<()> {
    of_appointment(op, id, Topic::AppointmentBooked, by).await
}

/// A visit was moved: what was to be told of other times is taken back. What is told of the time that it has now stays:
/// of two reactions that come late, the second takes nothing back that the first one told.
pub async fn appointment_moved(op: &Op<Write>, id: AppointmentId, by: Option<UserId>) -> Result<()> {
    let Some(row) = appointment::Entity::find_by_id(id).one(op.db()).await? else { return Ok(()) };
    cancel_other_times(op, Subject::Appointment(id), &OF_A_TIME, row.starts_at, "MOVED").await?;
    of_appointment(op, id, Topic::AppointmentMoved, by).await
}

/// A visit was called off, or struck: it does not take place.
pub async fn appointment_cancelled(op: &Op<Write>, id: AppointmentId, by: Option<UserId>) -> Result<()> {
    cancel(op, Subject::Appointment(id), &OF_A_TIME, "CALLED_OFF").await?;
    of_appointment(op, id, Topic::AppointmentCancelled, by).await
}

async fn of_appointment(op: &Op<Write>, id: AppointmentId, topic: Topic, by: Option<UserId>) -> Result<()> {
    let Some(row) = appointment::Entity::find_by_id(id).one(op.db()).await? else { return Ok(()) };
    if !still_comes(topic, &row, row.starts_at, op.now()) {
        return Ok(());
    }
    let clinicians = user_account::Entity::find()
        .filter(user_account::Column::PractitionerId.eq(row.practitioner_id))
        .filter(user_account::Column::Active.eq(true));
    let clinicians = clinicians.all(op.db()).await?.into_iter().map(|user| user.id);
    // Nobody is told of what they did themselves.
    let clinicians = clinicians.filter(|user| Some(*user) != by).map(Recipient::User);
    let notice = Notice {
        topic,
        subject: Subject::Appointment(id),
        about_at: Some(row.starts_at),
        // A visit that is moved there and back is at a time of which was told before; booked and called off, or struck,
        // it is only once.
        occasion: if topic == Topic::AppointmentMoved { row.version.to_string() } else { String::new() },
        due: op.now(),
        expires_at: Some(row.starts_at),
        to: clinicians.chain([Recipient::Patient(row.patient_id)]).collect(),
    };
    notify(op, &notice).await.map(|_| ())
}

/// A time is held for somebody on the waiting list: they learn of it while it is.
async fn offered(op: &Op<Write>, id: AppointmentId) -> Result<()> {
    let Some(row) = appointment::Entity::find_by_id(id).one(op.db()).await? else { return Ok(()) };
    if !still_comes(Topic::AppointmentOffered, &row, row.starts_at, op.now()) {
        return Ok(());
    }
    let notice = Notice {
        topic: Topic::AppointmentOffered,
        subject: Subject::Appointment(id),
        about_at: Some(row.starts_at),
        occasion: String::new(),
        due: op.now(),
        expires_at: row.hold_expires_at,
        to: vec![Recipient::Patient(row.patient_id)],
    };
    notify(op, &notice).await.map(|_| ())
}

/// A reminder of a visit is due, one of several perhaps: the patient is reminded, if the visit still is to begin at that time.
pub async fn reminder_due(
    op: &Op<Write>,
    id: AppointmentId,
    starts_at: DateTime<Utc>,
    occasion: &str,
) -> Result<()> {
    let Some(row) = appointment::Entity::find_by_id(id).one(op.db()).await? else { return Ok(()) };
    if !still_comes(Topic::AppointmentReminder, &row, starts_at, op.now()) {
        return Ok(());
    }
    let notice = Notice {
        topic: Topic::AppointmentReminder,
        subject: Subject::Appointment(id),
        about_at: Some(starts_at),
        occasion: occasion.to_owned(),
        due: op.now(),
        expires_at: Some(starts_at),
        to: vec![Recipient::Patient(row.patient_id)],
    };
    notify(op, &notice).await.map(|_| ())
}

/// A task was given to somebody.
pub async fn task_assigned(op: &Op<Write>, id: TaskId, to: &[UserId], occasion: &str) -> Result<()> {
    to_staff(op, Topic::TaskAssigned, Subject::Task(id), to, occasion).await
}

/// A task was not done in time.
pub async fn task_escalated(op: &Op<Write>, id: TaskId, to: &[UserId], occasion: &str) -> Result<()> {
    to_staff(op, Topic::TaskEscalated, Subject::Task(id), to, occasion).await
}

/// A task is not to be done any more, or is done.
pub async fn task_ended(op: &Op<Write>, id: TaskId) -> Result<()> {
    cancel(op, Subject::Task(id), &[Topic::TaskAssigned, Topic::TaskEscalated], "ENDED").await.map(|_| ())
}

/// A rule raised an alert.
pub async fn alert_raised(op: &Op<Write>, id: AlertId, to: &[UserId]) -> Result<()> {
    to_staff(op, Topic::AlertRaised, Subject::Alert(id), to, "").await
}

/// Somebody dealt with an alert.
pub async fn alert_answered(op: &Op<Write>, id: AlertId) -> Result<()> {
    cancel(op, Subject::Alert(id), &[Topic::AlertRaised], "ANSWERED").await.map(|_| ())
}

/// A document waits for a second signature.
pub async fn document_to_cosign(op: &Op<Write>, id: DocumentId, to: &[UserId], occasion: &str) -> Result<()> {
    to_staff(op, Topic::DocumentToCosign, Subject::Document(id), to, occasion).await
}

/// A document has its second signature.
pub async fn document_cosigned(op: &Op<Write>, id: DocumentId) -> Result<()> {
    cancel(op, Subject::Document(id), &[Topic::DocumentToCosign], "SIGNED").await.map(|_| ())
}

async fn to_staff(
    op: &Op<Write>,
    topic: Topic,
    subject: Subject,
    to: &[UserId],
    occasion: &str,
) -> Result<()> {
    let notice = Notice {
        topic,
        subject,
        about_at: None,
        occasion: occasion.to_owned(),
        due: op.now(),
        expires_at: None,
        to: to.iter().copied().map(Recipient::User).collect(),
    };
    notify(op, &notice).await.map(|_| ())
}
