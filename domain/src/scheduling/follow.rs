//! An appointment follows the visit that came of it: the patient has arrived, is being seen, was seen, or has left.

use praxis_entity::{
    appointment::{self, AppointmentStatus},
    ids::AppointmentId,
};
use praxis_platform::{
    Failure, Op, Write,
    access::{Permission, Row},
    audit::Entry,
};
use sea_orm::{
    ActiveValue::{Set, Unchanged},
    EntityTrait, QuerySelect,
    sea_query::LockType,
};

use super::cancel;
use crate::{
    Result, Violation, ViolationCode,
    event::{self, Event},
    rights,
    transitions::Machine,
};

/// The appointment, locked, if the actor may know of it.
pub(crate) async fn locked(op: &Op<Write>, id: AppointmentId, path: &str) -> Result<appointment::Model> {
    let found = appointment::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(op.db()).await?;
    let found = found.ok_or_else(|| Violation::unknown(path))?;
    let (read, row) = (Permission::APPOINTMENT_READ, Row::from(&found));
    rights::require(op, read, read, found.patient_id, &row, path).await?;
    Ok(found)
}

/// Brings the appointment to where its visit is. What it has reached already, or can't reach any more, stays: the
/// visit is what counts. Only one that was called off, missed or struck is in the way.
pub(crate) async fn follow(op: &Op<Write>, id: AppointmentId, to: AppointmentStatus) -> Result<()> {
    let found = appointment::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(op.db()).await?;
    let found = found.ok_or(Failure::NotFound)?;
    let over = match found.status {
        AppointmentStatus::Cancelled | AppointmentStatus::NoShow => true,
        // A visit that took place can be closed, also again, after its appointment was struck.
        AppointmentStatus::EnteredInError => to != AppointmentStatus::Completed,
        _ => false,
    };
    if over {
        let message = "The appointment of this visit was called off, missed or struck.";
        return Err(Violation::at(ViolationCode::Locked, &["id"], message).into());
    }
    // Where it is already, nothing happens, and so nothing is told.
    if found.status == to || !Machine::load(op, "appointment").await?.allows(&found.status, &to) {
        return Ok(());
    }
    let (appointment, patient) = (id, found.patient_id);
    let (action, happened) = match to {
        AppointmentStatus::CheckedIn => {
            ("appointment.check-in", Event::AppointmentCheckedIn { appointment, patient })
        }
        AppointmentStatus::InProgress => {
            ("appointment.start", Event::AppointmentStarted { appointment, patient })
        }
        AppointmentStatus::Completed => {
            ("appointment.complete", Event::AppointmentCompleted { appointment, patient })
        }
        _ => return Ok(()),
    };
    let change = appointment::ActiveModel { id: Unchanged(id), status: Set(to), ..Default::default() };
    let changed = appointment::Entity::update(change).exec(op.db()).await?;
    event::happened(op, happened).await?;
    op.record(Entry::done(action).on("Appointment", id.0, changed.version).of(patient.0));
    Ok(())
}

/// The patient has left without being seen: the appointment for which they were here is called off, and what is left
/// of its time is free. One for which they never came stays; it is called off or missed by a verb of its own.
pub(crate) async fn left(op: &Op<Write>, id: AppointmentId) -> Result<()> {
    let found = appointment::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(op.db()).await?;
    let found = found.ok_or(Failure::NotFound)?;
    let here = [AppointmentStatus::Arrived, AppointmentStatus::CheckedIn, AppointmentStatus::InRoom];
    if here.contains(&found.status) {
        cancel::strike(op, found, None, None).await?;
    }
    Ok(())
}
