//! Calling a visit off.

use praxis_entity::{
    appointment,
    ids::AppointmentId,
    value::{AppointmentNote, Sealed},
};
use praxis_platform::{Op, Write, access::Permission, audit::Entry};
use sea_orm::ActiveValue::Set;

use super::{check, hold, reschedule::guarded};
use crate::{
    Result, ViolationCode,
    error::Violations,
    event::{Event, happened},
};

/// The codes of <http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason>.
pub const CANCELLATION_REASONS: [&str; 32] = [
    "pat",
    "pat-crs",
    "pat-cpp",
    "pat-dec",
    "pat-fb",
    "pat-lt",
    "pat-mt",
    "pat-mv",
    "pat-preg",
    "pat-swl",
    "pat-ucp",
    "prov",
    "prov-pers",
    "prov-dch",
    "prov-edu",
    "prov-hosp",
    "prov-labs",
    "prov-mri",
    "prov-onc",
    "maint",
    "meds-inc",
    "other",
    "oth-cms",
    "oth-err",
    "oth-fin",
    "oth-iv",
    "oth-int",
    "oth-mu",
    "oth-room",
    "oth-oerr",
    "oth-swie",
    "oth-weath",
];

/// Why a visit is called off.
#[derive(Debug, Clone, Default)]
pub struct CancelReason {
    /// One of [`CANCELLATION_REASONS`].
    pub code: Option<String>,
    /// In words.
    pub text: Option<String>,
}

/// Calls a visit off; its time is free again.
pub async fn cancel(
    op: &Op<Write>,
    id: AppointmentId,
    if_version: i32,
    why: CancelReason,
) -> Result<appointment::Model> {
    op.require(Permission::APPOINTMENT_CANCEL)?;
    let mut found = Violations::default();
    let text = check::reason(&mut found, "reason", why.text.as_deref());
    if why.code.as_deref().is_some_and(|code| !CANCELLATION_REASONS.contains(&code)) {
        found.add(
            ViolationCode::Invalid,
            &["code"],
            "This is not a code of HL7's appointment-cancellation-reason.",
        );
    }
    found.check()?;
    let stored = check::at_version(op, Permission::APPOINTMENT_CANCEL, id, if_version).await?;
    let status = check::step(op, &stored, "appointmentCancel").await?;
    let note = match text {
        Some(text) => Some(noted(op, &stored, text).await?),
        None => stored.note,
    };
    let change = appointment::ActiveModel {
        status: Set(status),
        note: Set(note),
        cancel_code: Set(why.code),
        ..Default::default()
    };
    let cancelled = guarded(op, id, if_version, change).await?;
    hold::release(op, id).await?;
    let patient = cancelled.patient_id;
    happened(op, Event::AppointmentCancelled { appointment: id, patient }).await?;
    op.record(Entry::done("appointment.cancel").on("Appointment", id.0, cancelled.version).of(patient.0));
    Ok(cancelled)
}

/// The note with the reason added.
async fn noted(op: &Op<Write>, stored: &appointment::Model, text: String) -> Result<Sealed<AppointmentNote>> {
    let key = op.data_key(stored.patient_id.0).await?;
    let place = op.place("appointment", stored.id.0, stored.patient_id.0);
    let before = match &stored.note {
        Some(note) => op.open_unseen(&key, &place, note).await?,
        None => AppointmentNote::default(),
    };
    Ok(op.seal(&key, &place, &AppointmentNote { cancel_reason: Some(text), ..before })?)
}
