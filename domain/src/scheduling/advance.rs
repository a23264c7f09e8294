//! Moving a visit on: confirmed, arrived, at the desk, in a room, under way, over.

use praxis_entity::{
    appointment::{self, AppointmentStatus},
    ids::AppointmentId,
};
use praxis_platform::{Failure, Op, Write, access::Permission, audit::Entry};
use sea_orm::ActiveValue::Set;

use super::{check, reschedule::guarded, tell};
use crate::Error;

/// Brings a visit to its next status. Holding, cancelling and not coming have verbs of their own.
pub async fn advance(
    op: &Op<Write>,
    id: AppointmentId,
    if_version: i32,
    to: AppointmentStatus,
) -> Result<appointment::Model, Error> {
    op.require(Permission::APPOINTMENT_BOOK)?;
    let stored = check::at_version(op, Permission::APPOINTMENT_BOOK, id, if_version).await?;
    let (action, mutation) = match to {
        AppointmentStatus::Confirmed => ("appointment.confirm", "appointmentConfirm"),
        AppointmentStatus::Arrived => ("appointment.arrive", "appointmentArrive"),
        AppointmentStatus::CheckedIn => ("appointment.check-in", "appointmentCheckIn"),
        AppointmentStatus::InRoom => ("appointment.room", "appointmentRoom"),
        AppointmentStatus::InProgress => ("appointment.start", "appointmentStart"),
        AppointmentStatus::Completed => ("appointment.complete", "appointmentComplete"),
        AppointmentStatus::Pending
        | AppointmentStatus::Booked
        | AppointmentStatus::Cancelled
        | AppointmentStatus::NoShow
        | AppointmentStatus::Expired
        | AppointmentStatus::EnteredInError => {
            let message = "holding, cancelling and not coming have verbs of their own";
            return Err(Failure::BadInput(message.to_owned()).into());
        }
    };
    let to = check::step(op, &stored, mutation).await?;
    let change = appointment::ActiveModel { status: Set(to), ..Default::default() };
    let changed = guarded(op, id, if_version, change).await?;
    let patient = changed.patient_id.0;
    op.record(Entry::done(action).on("Appointment", id.0, changed.version).of(patient));
    tell::advanced(op, &changed).await?;
    Ok(changed)
}
