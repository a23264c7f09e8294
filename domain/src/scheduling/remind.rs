//! When patients are reminded of a visit.
//!
//! Nothing is written out in advance: when a reminder is due, the appointment is looked at as it is then. One that
//! was called off, moved or has begun gets none.

use chrono::{DateTime, Days, TimeDelta, Utc};
use chrono_tz::Tz;
use praxis_entity::{
    appointment::{self, AppointmentStatus},
    ids::AppointmentId,
    visit_type,
};
use praxis_platform::{Op, Write, audit::Entry};
use sea_orm::{EntityTrait, QuerySelect, sea_query::LockType};

use super::slots::first_instant;
use crate::{
    Result,
    event::{Event, happened},
    jobs::{Work, enqueue},
};

/// How long before the start patients are reminded of a visit of no particular kind.
const DEFAULT_MINUTES: [i32; 1] = [1_440];

const DAY: i32 = 1_440;

/// Sees to it that the patient is reminded in time.
pub(super) async fn later(
    op: &Op<Write>,
    row: &appointment::Model,
    kind: Option<&visit_type::Model>,
) -> Result<()> {
    let minutes = kind.map_or(&DEFAULT_MINUTES[..], |kind| &kind.reminder_minutes);
    for due in due_times(row, minutes, op.now()) {
        let work = Work::RemindOfAppointment { appointment: row.id, starts_at: row.starts_at };
        let key = format!("{} {} {}", row.id, row.starts_at.timestamp(), due.timestamp());
        enqueue(op, work, due, &key).await?;
    }
    Ok(())
}

/// A reminder is due: raises it, if the visit is still to take place as it was when the reminder was made.
pub async fn remind(op: &Op<Write>, id: AppointmentId, starts_at: DateTime<Utc>) -> Result<()> {
    // Locked, so that a visit that is being called off or moved right now is not reminded of.
    let found = appointment::Entity::find_by_id(id).lock(LockType::Share).one(op.db()).await?;
    if let Some(row) = found.filter(|row| holds(row, starts_at, op.now())) {
        let patient = row.patient_id;
        happened(op, Event::AppointmentReminderDue { appointment: id, patient, starts_at }).await?;
        op.record(Entry::done("appointment.remind").on("Appointment", id.0, row.version).of(patient.0));
    }
    Ok(())
}

/// When reminders are due that are not past already, earliest first.
fn due_times(row: &appointment::Model, minutes: &[i32], now: DateTime<Utc>) -> Vec<DateTime<Utc>> {
    let zone: Tz = row.time_zone.parse().unwrap_or(chrono_tz::UTC);
    let due = |minutes: &i32| due_at(row.starts_at, zone, *minutes).filter(|due| *due > now);
    let mut due: Vec<_> = minutes.iter().filter_map(due).collect();
    due.sort_unstable();
    due.dedup();
    due
}

/// Some time before a start: whole days are days on the wall clock, so that the day before is at the same time.
fn due_at(starts_at: DateTime<Utc>, zone: Tz, minutes: i32) -> Option<DateTime<Utc>> {
    let rest = TimeDelta::minutes(i64::from(minutes % DAY));
    let days = Days::new(u64::try_from(minutes / DAY).ok()?);
    let wall = starts_at.with_timezone(&zone).naive_local();
    if days == Days::new(0) {
        return Some(starts_at - rest);
    }
    Some(first_instant(zone, wall.checked_sub_days(days)?)? - rest)
}

/// Whether a reminder that was made for a start still holds.
fn holds(row: &appointment::Model, starts_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    matches!(row.status, AppointmentStatus::Booked | AppointmentStatus::Confirmed)
        && row.starts_at == starts_at
        && now < starts_at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(zone: Tz, starts_at: &str, minutes: i32) -> String {
        let due = due_at(starts_at.parse().unwrap(), zone, minutes).unwrap();
        due.with_timezone(&zone).format("%Y-%m-%dT%H:%M%:z").to_string()
    }

    #[test]
    fn the_day_before_is_at_the_same_time_of_day_even_when_the_clock_was_changed() {
        // 09:00 after the change of Sunday morning.
        assert_eq!(due(Tz::Europe__Berlin, "2027-03-28T07:00:00Z", 1_440), "2027-03-27T09:00+01:00");
        assert_eq!(due(Tz::Europe__Berlin, "2027-10-31T08:00:00Z", 1_440), "2027-10-30T09:00+02:00");
        assert_eq!(due(Tz::America__New_York, "2027-03-14T13:00:00Z", 1_440), "2027-03-13T09:00-05:00");
        assert_eq!(due(Tz::America__New_York, "2027-11-07T14:00:00Z", 1_440), "2027-11-06T09:00-04:00");
        assert_eq!(due(Tz::Australia__Lord_Howe, "2027-10-02T22:00:00Z", 1_440), "2027-10-02T09:00+10:30");
        assert_eq!(due(Tz::Australia__Lord_Howe, "2027-04-03T22:30:00Z", 1_440), "2027-04-03T09:00+11:00");
    }

    #[test]
    fn hours_before_are_hours_and_not_times_on_a_clock() {
        // Two hours before 03:30 is 00:30, for 02:00 to 03:00 was skipped.
        assert_eq!(due(Tz::Europe__Berlin, "2027-03-28T01:30:00Z", 120), "2027-03-28T00:30+01:00");
        // And before 03:30 in autumn it is the second 02:30 less one hour: 02:30 in summer time.
        assert_eq!(due(Tz::Europe__Berlin, "2027-10-31T02:30:00Z", 120), "2027-10-31T02:30+02:00");
        assert_eq!(due(Tz::Europe__Berlin, "2027-03-28T07:00:00Z", 1_560), "2027-03-27T07:00+01:00");
    }

    #[test]
    fn a_time_of_the_day_before_that_does_not_exist_is_read_with_the_offset_before() {
        // Monday 02:30, the day after the clock skipped 02:00 to 03:00.
        assert_eq!(due(Tz::Europe__Berlin, "2027-03-29T00:30:00Z", 1_440), "2027-03-28T03:30+02:00");
    }
}
