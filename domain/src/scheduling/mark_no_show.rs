//! Recording that a patient did not come.

use praxis_entity::{appointment, ids::AppointmentId};
use praxis_platform::{Op, Write, access::Permission, audit::Entry};
use sea_orm::ActiveValue::Set;

use super::{check, hold, reschedule::guarded};
use crate::{
    Result, Violation, ViolationCode,
    event::{Event, happened},
};

/// Records that the patient did not come, once the visit should have begun.
pub async fn mark_no_show(op: &Op<Write>, id: AppointmentId, if_version: i32) -> Result<appointment::Model> {
    op.require(Permission::APPOINTMENT_NO_SHOW)?;
    let stored = check::at_version(op, Permission::APPOINTMENT_NO_SHOW, id, if_version).await?;
    let status = check::step(op, &stored, "appointmentMarkNoShow").await?;
    if op.now() < stored.starts_at {
        return Err(
            Violation::at(ViolationCode::InvalidTransition, &["id"], "The visit has not begun yet.").into()
        );
    }
    let change = appointment::ActiveModel { status: Set(status), ..Default::default() };
    let marked = guarded(op, id, if_version, change).await?;
    hold::release(op, id).await?;
    let patient = marked.patient_id;
    happened(op, Event::AppointmentMissed { appointment: id, patient }).await?;
    op.record(Entry::done("appointment.no-show").on("Appointment", id.0, marked.version).of(patient.0));
    Ok(marked)
}
