//! What others learn of appointments: the events of this domain, and what is due later because of them.

use praxis_entity::{
    appointment::{self, AppointmentStatus},
    visit_type, waitlist_entry,
};
use praxis_platform::{Op, Write};

use super::remind;
use crate::{
    Result,
    event::{Event, happened},
    jobs::{Work, enqueue},
};

/// A slot is held: it is looked at again when the hold runs out.
pub(super) async fn held(op: &Op<Write>, row: &appointment::Model) -> Result<()> {
    happened(op, Event::AppointmentHeld { appointment: row.id, patient: row.patient_id }).await?;
    match row.hold_expires_at {
        Some(until) => {
            enqueue(op, Work::ExpireHold { appointment: row.id }, until, &row.id.to_string()).await
        }
        None => Ok(()),
    }
}

/// A visit is booked.
pub(super) async fn booked(
    op: &Op<Write>,
    row: &appointment::Model,
    kind: Option<&visit_type::Model>,
) -> Result<()> {
    happened(op, Event::AppointmentBooked { appointment: row.id, patient: row.patient_id }).await?;
    remind::later(op, row, kind).await
}

/// A visit was moved.
pub(super) async fn moved(
    op: &Op<Write>,
    row: &appointment::Model,
    kind: Option<&visit_type::Model>,
) -> Result<()> {
    happened(op, Event::AppointmentRescheduled { appointment: row.id, patient: row.patient_id }).await?;
    remind::later(op, row, kind).await
}

/// A visit was called off.
pub(super) async fn cancelled(op: &Op<Write>, row: &appointment::Model) -> Result<()> {
    happened(op, Event::AppointmentCancelled { appointment: row.id, patient: row.patient_id }).await
}

/// A time that was only held is wanted no longer: nobody has a visit less.
pub(super) async fn released(op: &Op<Write>, row: &appointment::Model) -> Result<()> {
    happened(op, Event::AppointmentHoldReleased { appointment: row.id, patient: row.patient_id }).await
}

/// A hold ran out.
pub(super) async fn expired(op: &Op<Write>, row: &appointment::Model) -> Result<()> {
    happened(op, Event::AppointmentHoldExpired { appointment: row.id, patient: row.patient_id }).await
}

/// A time was offered to somebody on the waiting list.
pub(super) async fn offered(
    op: &Op<Write>,
    entry: &waitlist_entry::Model,
    held: &appointment::Model,
) -> Result<()> {
    let (waitlist_entry, appointment) = (entry.id, held.id);
    happened(op, Event::WaitlistOffered { waitlist_entry, appointment, patient: entry.patient_id }).await
}

/// A visit came to another status.
pub(super) async fn advanced(op: &Op<Write>, row: &appointment::Model) -> Result<()> {
    let (appointment, patient) = (row.id, row.patient_id);
    let event = match row.status {
        AppointmentStatus::Confirmed => Event::AppointmentConfirmed { appointment, patient },
        AppointmentStatus::Arrived => Event::AppointmentArrived { appointment, patient },
        AppointmentStatus::CheckedIn => Event::AppointmentCheckedIn { appointment, patient },
        AppointmentStatus::InRoom => Event::AppointmentRoomed { appointment, patient },
        AppointmentStatus::InProgress => Event::AppointmentStarted { appointment, patient },
        AppointmentStatus::Completed => Event::AppointmentCompleted { appointment, patient },
        AppointmentStatus::NoShow => Event::AppointmentMissed { appointment, patient },
        AppointmentStatus::EnteredInError => Event::AppointmentEnteredInError { appointment, patient },
        AppointmentStatus::Booked => Event::AppointmentReinstated { appointment, patient },
        AppointmentStatus::Pending | AppointmentStatus::Cancelled | AppointmentStatus::Expired => {
            return Ok(());
        }
    };
    happened(op, event).await
}
