//! What the input of several verbs must fulfil.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use praxis_entity::{
    appointment::{self, AppointmentStatus},
    ids::{AppointmentId, DeviceId},
};
use praxis_platform::{
    Op, Write,
    access::{Permission, Row},
};
use sea_orm::EntityTrait;

use super::slots::Span;
use crate::{Detail, Result, Violation, ViolationCode, error::Violations, rights, transitions};

const LONGEST_REASON: usize = 1_000;

/// The length of a visit.
pub(super) fn length(found: &mut Violations, minutes: u32) -> TimeDelta {
    if !(5..=480).contains(&minutes) {
        found.add(ViolationCode::OutOfRange, &["durationMinutes"], "A visit takes 5 to 480 minutes.");
    }
    TimeDelta::minutes(i64::from(minutes.min(480)))
}

/// When a visit takes place: full seconds, neither long ago nor far off.
pub(super) fn span(
    found: &mut Violations,
    now: DateTime<Utc>,
    starts_at: DateTime<Utc>,
    length: TimeDelta,
) -> Span {
    if starts_at < now - TimeDelta::hours(24) {
        found.add(ViolationCode::OutOfRange, &["startsAt"], "This is more than 24 hours ago.");
    }
    if starts_at > now + TimeDelta::days(731) {
        found.add(ViolationCode::OutOfRange, &["startsAt"], "This is more than two years ahead.");
    }
    // A time far out of range could not be added to.
    let from = seconds(starts_at.clamp(now - TimeDelta::days(1), now + TimeDelta::days(731)));
    Span { from, until: from + length }
}

/// The full second that an instant lies in.
pub(super) fn seconds(at: DateTime<Utc>) -> DateTime<Utc> {
    at.trunc_subsecs(0)
}

/// The devices of a visit, each once.
pub(super) fn devices(found: &mut Violations, mut devices: Vec<DeviceId>) -> Vec<DeviceId> {
    devices.sort_unstable();
    devices.dedup();
    if devices.len() > 5 {
        found.add(ViolationCode::TooLong, &["deviceIds"], "A visit takes five devices at the most.");
        devices.clear();
    }
    devices
}

/// A reason in words; an empty one counts as absent.
pub(super) fn reason(found: &mut Violations, name: &str, text: Option<&str>) -> Option<String> {
    crate::clinic::text::optional_line(found, &[name], text, LONGEST_REASON)
}

/// The appointment at the version that the caller has seen, if the actor may do this with it.
pub(super) async fn at_version(
    op: &Op<Write>,
    permission: Permission,
    id: AppointmentId,
    if_version: i32,
) -> Result<appointment::Model> {
    let stored = appointment::Entity::find_by_id(id).one(op.db()).await?;
    let stored = stored.ok_or_else(|| Violation::unknown("id"))?;
    let seen = Permission::APPOINTMENT_READ;
    rights::require(op, permission, seen, stored.patient_id, &Row::from(&stored), "id").await?;
    if stored.version == if_version { Ok(stored) } else { Err(outdated(stored.version).into()) }
}

/// Somebody else changed the appointment meanwhile.
pub(super) fn outdated(current: i32) -> Violation {
    Violation::at(
        ViolationCode::VersionConflict,
        &["ifVersion"],
        "Somebody else changed this appointment meanwhile.",
    )
    .with(Detail::Version { current })
}

/// Where an action leads from the status that the appointment has.
pub(super) async fn step(
    op: &Op<Write>,
    stored: &appointment::Model,
    action: &str,
) -> Result<AppointmentStatus> {
    let (row, open) = (Row::from(stored), |action: &str| is_timely(op, stored, action));
    let of = (stored.patient_id, &row);
    let to = transitions::step_among(op, "appointment", action, &stored.status, of, open).await?;
    let too_early = matches!(action, NO_SHOW | COMPLETE) && !open(action);
    if too_early {
        let refusal = transitions::refusal(op, "appointment", &stored.status, of, open).await?;
        return Err(refusal.saying("The visit has not begun yet.").into());
    }
    Ok(to)
}

const NO_SHOW: &str = "appointmentMarkNoShow";
const COMPLETE: &str = "appointmentComplete";

/// Whether it is the time for a mutation on an appointment. Status and permission are asked apart from this.
pub fn is_timely<M>(op: &Op<M>, stored: &appointment::Model, action: &str) -> bool {
    match action {
        // Whether somebody came shows only once the visit should have begun.
        NO_SHOW | COMPLETE => stored.starts_at <= op.now(),
        "appointmentUndoNoShow" => is_today(op, stored),
        "appointmentHoldConfirm" => stored.hold_expires_at.is_some_and(|until| op.now() < until),
        _ => true,
    }
}

/// Whether the visit was to take place today, on the clock of its branch.
pub(super) fn is_today<M>(op: &Op<M>, stored: &appointment::Model) -> bool {
    let zone: chrono_tz::Tz = stored.time_zone.parse().unwrap_or(chrono_tz::UTC);
    let day = |at: DateTime<Utc>| at.with_timezone(&zone).date_naive();
    day(stored.starts_at) == day(op.now())
}
