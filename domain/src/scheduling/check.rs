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
    transitions::step(op, "appointment", action, &stored.status, (stored.patient_id, &Row::from(stored)))
        .await
}
