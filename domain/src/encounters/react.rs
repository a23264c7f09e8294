//! What follows for a visit from what happens elsewhere.

use praxis_entity::{appointment::AppointmentStatus, encounter::EncounterStatus};
use praxis_platform::{Op, Write};

use super::{PlanEncounter, by_appointments, cancel, check_in, plan};
use crate::{
    Result,
    event::{Event, Recorded},
    scheduling,
};

/// A patient was checked in for an appointment: the visit that comes of it is there, and they have arrived. Where the
/// visit was checked in first, or the appointment is elsewhere by now, nothing is left to do.
pub async fn receive(op: &Op<Write>, recorded: &Recorded) -> Result<()> {
    let Event::AppointmentCheckedIn { appointment, .. } = recorded.event else { return Ok(()) };
    let booked = scheduling::locked(op, appointment, "id").await?;
    if booked.status != AppointmentStatus::CheckedIn {
        return Ok(());
    }
    let visit = by_appointments(op, &[appointment]).await?.remove(&appointment);
    let visit = match visit.filter(|visit| visit.status != EncounterStatus::Cancelled) {
        Some(visit) => visit,
        None => {
            plan(op, PlanEncounter { appointment: Some(appointment), ..PlanEncounter::default() }).await?
        }
    };
    if visit.status == EncounterStatus::Planned {
        check_in(op, visit.id, visit.version).await?;
    }
    Ok(())
}

/// An appointment was called off, or struck, although its patient was here: they have left, and their visit does not
/// take place.
pub async fn end(op: &Op<Write>, recorded: &Recorded) -> Result<()> {
    let (Event::AppointmentCancelled { appointment, .. }
    | Event::AppointmentEnteredInError { appointment, .. }) = recorded.event
    else {
        return Ok(());
    };
    let Some(visit) = by_appointments(op, &[appointment]).await?.remove(&appointment) else { return Ok(()) };
    if matches!(visit.status, EncounterStatus::Arrived | EncounterStatus::Triaged) {
        cancel(op, visit.id, visit.version, "The appointment was called off.").await?;
    }
    Ok(())
}
