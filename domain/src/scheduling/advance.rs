//! Moving a visit on: confirmed, arrived, under way, over.

use praxis_entity::{
    appointment::{self, AppointmentStatus},
    ids::AppointmentId,
};
use praxis_platform::{Failure, Op, Write, access::Permission, audit::Entry};
use sea_orm::ActiveValue::Set;

use super::{check, reschedule::guarded};
use crate::{
    Error, Violation, ViolationCode,
    event::{Event, happened},
    transitions::Machine,
};

/// Brings a visit to its next status. Cancelling and not coming have verbs of their own.
pub async fn advance(
    op: &Op<Write>,
    id: AppointmentId,
    if_version: i32,
    to: AppointmentStatus,
) -> Result<appointment::Model, Error> {
    op.require(Permission::APPOINTMENT_BOOK)?;
    let stored = check::at_version(op, Permission::APPOINTMENT_BOOK, id, if_version).await?;
    let (appointment, patient) = (id, stored.patient_id);
    let (action, event) = match to {
        AppointmentStatus::Confirmed => {
            ("appointment.confirm", Event::AppointmentConfirmed { appointment, patient })
        }
        AppointmentStatus::CheckedIn => {
            ("appointment.check-in", Event::AppointmentCheckedIn { appointment, patient })
        }
        AppointmentStatus::InProgress => {
            ("appointment.start", Event::AppointmentStarted { appointment, patient })
        }
        AppointmentStatus::Completed => {
            ("appointment.complete", Event::AppointmentCompleted { appointment, patient })
        }
        AppointmentStatus::Booked | AppointmentStatus::Cancelled | AppointmentStatus::NoShow => {
            return Err(
                Failure::BadInput("cancelling and not coming have verbs of their own".to_owned()).into()
            );
        }
    };
    let machine = Machine::load(op, "appointment").await?;
    if !machine.allows(&stored.status, &to) {
        return Err(machine.refusal(&stored.status, |permission| op.actor().may(permission)).into());
    }
    if to == AppointmentStatus::Completed && op.now() < stored.starts_at {
        return Err(
            Violation::at(ViolationCode::InvalidTransition, &["id"], "the visit has not begun yet").into()
        );
    }
    let change = appointment::ActiveModel { status: Set(to), ..Default::default() };
    let changed = guarded(op, id, if_version, change).await?;
    happened(op, event).await?;
    op.record(Entry::done(action).on("Appointment", id.0, changed.version).of(patient.0));
    Ok(changed)
}
