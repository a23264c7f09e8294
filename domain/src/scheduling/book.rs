//! Booking a visit, at once or after a time in which the slot is only held.

use chrono::{TimeDelta, Utc};
use praxis_entity::{appointment, ids::AppointmentId, waitlist_entry::WaitlistStatus};
use praxis_platform::{Op, Write, access::Permission, audit::Entry};
use sea_orm::ActiveValue::Set;

use super::{
    check,
    reschedule::guarded,
    reserve::{BookAppointment, Prepared, Terms},
    tell, waiting,
};
use crate::{Result, Violation, ViolationCode};

/// For how many minutes a slot is held, unless said otherwise.
pub const DEFAULT_HOLD_MINUTES: u32 = 10;

/// Books a visit. Staff may book outside of a practitioner's hours, but never over another visit.
pub async fn book(op: &Op<Write>, wish: BookAppointment) -> Result<appointment::Model> {
    let prepared = Prepared::of(op, wish).await?;
    let booked = prepared.take(op, prepared.span(), Terms::default()).await?;
    let entry = Entry::done(if booked.overbooked { "appointment.overbook" } else { "appointment.book" });
    op.record(entry.on("Appointment", booked.id.0, booked.version).of(booked.patient_id.0));
    tell::booked(op, &booked, prepared.kind.as_ref()).await?;
    Ok(booked)
}

/// Holds a slot for some minutes, for somebody who has yet to say yes.
pub async fn hold(op: &Op<Write>, wish: BookAppointment, minutes: u32) -> Result<appointment::Model> {
    if !(1..=60).contains(&minutes) {
        let message = "A slot is held for 1 to 60 minutes.";
        return Err(Violation::at(ViolationCode::OutOfRange, &["holdMinutes"], message).into());
    }
    let prepared = Prepared::of(op, wish).await?;
    let span = prepared.span();
    let lead = prepared.kind.as_ref().map_or(0, |kind| kind.lead_minutes);
    if span.from < op.now() + TimeDelta::minutes(i64::from(lead)) {
        let message = "This is too soon to be held.";
        return Err(Violation::at(ViolationCode::OutOfRange, &["startsAt"], message).into());
    }
    let until = op.now() + TimeDelta::minutes(i64::from(minutes));
    let held = prepared.take(op, span, Terms { hold_expires_at: Some(until), ..Terms::default() }).await?;
    op.record(
        Entry::done("appointment.hold").on("Appointment", held.id.0, held.version).of(held.patient_id.0),
    );
    tell::held(op, &held).await?;
    Ok(held)
}

/// Books what was held. Whoever it was offered to on the waiting list waits no longer.
pub async fn confirm_hold(op: &Op<Write>, id: AppointmentId, if_version: i32) -> Result<appointment::Model> {
    op.require(Permission::APPOINTMENT_BOOK)?;
    let stored = check::at_version(op, Permission::APPOINTMENT_BOOK, id, if_version).await?;
    // The entry before its visit, as whoever answers an offer has it.
    let offered = waiting::offered(op, &stored).await?;
    let booked = confirm(op, stored).await?;
    if let Some(entry) = offered {
        waiting::change(op, &entry, WaitlistStatus::Booked, Some(id), "waitlist.accept").await?;
    }
    Ok(booked)
}

/// The same once it is known that the actor may.
pub(super) async fn confirm(op: &Op<Write>, stored: appointment::Model) -> Result<appointment::Model> {
    let status = check::step(op, &stored, "appointmentHoldConfirm").await?;
    if stored.hold_expires_at.is_none_or(|until| until <= op.now()) {
        return Err(Violation::at(ViolationCode::Locked, &["id"], "The hold has run out.").into());
    }
    let change = appointment::ActiveModel {
        status: Set(status),
        hold_expires_at: Set(None::<chrono::DateTime<Utc>>),
        ..Default::default()
    };
    let booked = guarded(op, stored.id, stored.version, change).await?;
    op.record(
        Entry::done("appointment.book")
            .on("Appointment", booked.id.0, booked.version)
            .of(booked.patient_id.0),
    );
    let kind = super::place::kind(op, booked.visit_type_id, &mut crate::error::Violations::default()).await?;
    tell::booked(op, &booked, kind.as_ref()).await?;
    Ok(booked)
}
