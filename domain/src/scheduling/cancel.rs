//! Calling a visit off.

use chrono::TimeDelta;
use praxis_entity::{
    appointment::{self, AppointmentStatus},
    ids::AppointmentId,
    value::{AppointmentNote, Sealed},
};
use praxis_platform::{Op, Write, access::Permission, audit::Entry};
use sea_orm::ActiveValue::Set;

use super::{check, hold, place, reschedule::guarded, tell};
use crate::{Result, ViolationCode, error::Violations};

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

/// Calls a visit off; its time is free again. One called off after the cut-off time of its kind is marked so.
pub async fn cancel(
    op: &Op<Write>,
    id: AppointmentId,
    if_version: i32,
    why: CancelReason,
) -> Result<appointment::Model> {
    op.require(Permission::APPOINTMENT_CANCEL)?;
    let text = judge(&why)?;
    let stored = check::at_version(op, Permission::APPOINTMENT_CANCEL, id, if_version).await?;
    check::step(op, &stored, "appointmentCancel").await?;
    strike(op, stored, why.code, text).await
}

/// The reason in words, once it and the code are in order.
pub(super) fn judge(why: &CancelReason) -> Result<Option<String>> {
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
    Ok(text)
}

/// Calls it off once it is known that the actor may.
pub(super) async fn strike(
    op: &Op<Write>,
    stored: appointment::Model,
    code: Option<String>,
    text: Option<String>,
) -> Result<appointment::Model> {
    let (id, if_version) = (stored.id, stored.version);
    let kind = place::kind(op, stored.visit_type_id, &mut Violations::default()).await?;
    let cutoff = kind.as_ref().map_or(0, |kind| kind.cutoff_minutes);
    let only_held = stored.status == AppointmentStatus::Pending;
    let late =
        !only_held && cutoff > 0 && op.now() > stored.starts_at - TimeDelta::minutes(i64::from(cutoff));
    let note = match text {
        Some(text) => Some(noted(op, &stored, text).await?),
        None => stored.note,
    };
    let change = appointment::ActiveModel {
        status: Set(AppointmentStatus::Cancelled),
        note: Set(note),
        cancel_code: Set(code),
        cancelled_late: Set(late),
        ..Default::default()
    };
    let cancelled = guarded(op, id, if_version, change).await?;
    hold::release(op, &[id]).await?;
    let patient = cancelled.patient_id.0;
    op.record(Entry::done("appointment.cancel").on("Appointment", id.0, cancelled.version).of(patient));
    match only_held {
        true => tell::released(op, &cancelled).await?,
        false => tell::cancelled(op, &cancelled).await?,
    }
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
