//! Striking an appointment that should never have been booked, such as one of another patient.

use praxis_entity::{appointment, ids::AppointmentId};
use praxis_platform::{Op, Write, access::Permission, audit::Entry};
use sea_orm::ActiveValue::Set;

use super::{check, hold, reschedule::guarded, tell};
use crate::Result;

/// Strikes the appointment; it stays on record, and its time is free.
pub async fn enter_in_error(
    op: &Op<Write>,
    id: AppointmentId,
    if_version: i32,
) -> Result<appointment::Model> {
    op.require(Permission::APPOINTMENT_CANCEL)?;
    let stored = check::at_version(op, Permission::APPOINTMENT_CANCEL, id, if_version).await?;
    let status = check::step(op, &stored, "appointmentEnterInError").await?;
    let change = appointment::ActiveModel { status: Set(status), ..Default::default() };
    let struck = guarded(op, id, if_version, change).await?;
    hold::release(op, &[id]).await?;
    let patient = struck.patient_id.0;
    op.record(Entry::done("appointment.enter-in-error").on("Appointment", id.0, struck.version).of(patient));
    tell::advanced(op, &struck).await?;
    Ok(struck)
}
