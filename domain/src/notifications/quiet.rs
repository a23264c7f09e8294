//! When somebody is left in peace: from a time on their wall clock until another.
//!
//! The wall clock decides, whatever it does: where it skips the end, quiet ends with the skipped hour; where an hour
//! comes twice, what is quiet in it is quiet both times.

use chrono::{DateTime, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// Hours in which nothing rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quiet {
    /// From when on.
    pub(super) from: NaiveTime,
    /// Until when; not later than the beginning means the next day.
    pub(super) until: NaiveTime,
    /// Whose wall clock.
    pub(super) zone: Tz,
}

/// A zone that skips more than this does not exist: Samoa once left out a day.
const LONGEST_GAP_MINUTES: i64 = 26 * 60;

impl Quiet {
    /// What holds for text messages to patients who said nothing: nine in the evening until eight in the morning.
    pub(super) fn nights(zone: Tz) -> Option<Self> {
        let (from, until) = (NaiveTime::from_hms_opt(21, 0, 0)?, NaiveTime::from_hms_opt(8, 0, 0)?);
        Some(Self { from, until, zone })
    }

    /// Whether an instant lies within.
    pub(super) fn holds(&self, at: DateTime<Utc>) -> bool {
        let time = at.with_timezone(&self.zone).time();
        if self.from < self.until {
            (self.from..self.until).contains(&time)
        } else {
            time >= self.from || time < self.until
        }
    }

    /// The first instant from `at` on at which something may ring.
    pub(super) fn over(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let mut at = at;
        // Where the clock skips the end, the jump may lead into the next quiet hours; not more often than that.
        for _ in 0..4 {
            if !self.holds(at) {
                break;
            }
            let wall = at.with_timezone(&self.zone).naive_local();
            let end = wall.date().and_time(self.until);
            let end = if end > wall { end } else { end + TimeDelta::days(1) };
            at = self.reached(end, at);
        }
        at
    }

    /// The first instant after `after` at which the wall clock shows this time, or has jumped over it.
    fn reached(&self, wall: NaiveDateTime, after: DateTime<Utc>) -> DateTime<Utc> {
        let shown = (0..=LONGEST_GAP_MINUTES)
            .map(|minutes| self.zone.from_local_datetime(&(wall + TimeDelta::minutes(minutes))))
            .find(|shown| shown.earliest().is_some());
        let Some(shown) = shown else { return after + TimeDelta::hours(1) };
        let candidates = [shown.earliest(), shown.latest()].into_iter().flatten().map(|at| at.to_utc());
        candidates.filter(|at| *at > after).min().unwrap_or(after + TimeDelta::hours(1))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn quiet(zone: Tz, from: (u32, u32), until: (u32, u32)) -> Quiet {
        let time = |(hour, minute)| NaiveTime::from_hms_opt(hour, minute, 0).unwrap();
        Quiet { from: time(from), until: time(until), zone }
    }

    fn over(quiet: &Quiet, at: &str) -> String {
        let over = quiet.over(at.parse().unwrap()).with_timezone(&quiet.zone);
        over.format("%Y-%m-%dT%H:%M%:z").to_string()
    }

    #[test]
    fn a_night_ends_in_the_morning_of_the_recipients_own_zone() {
        let berlin = quiet(Tz::Europe__Berlin, (22, 0), (7, 0));
        assert_eq!(over(&berlin, "2027-01-10T20:59:00Z"), "2027-01-10T21:59+01:00");
        assert_eq!(over(&berlin, "2027-01-10T21:00:00Z"), "2027-01-11T07:00+01:00");
        assert_eq!(over(&berlin, "2027-01-11T05:59:59Z"), "2027-01-11T07:00+01:00");
        assert_eq!(over(&berlin, "2027-01-11T06:00:00Z"), "2027-01-11T07:00+01:00");
        let noon = quiet(Tz::America__New_York, (12, 0), (14, 30));
        assert_eq!(over(&noon, "2027-01-10T17:30:00Z"), "2027-01-10T14:30-05:00");
    }

    #[test]
    fn nights_in_which_the_clock_is_changed_end_by_the_wall_clock() {
        let berlin = quiet(Tz::Europe__Berlin, (22, 0), (7, 0));
        assert_eq!(over(&berlin, "2027-03-27T22:00:00Z"), "2027-03-28T07:00+02:00");
        assert_eq!(over(&berlin, "2027-10-30T21:00:00Z"), "2027-10-31T07:00+01:00");
        let york = quiet(Tz::America__New_York, (21, 0), (8, 0));
        assert_eq!(over(&york, "2027-03-14T03:00:00Z"), "2027-03-14T08:00-04:00");
        assert_eq!(over(&york, "2027-11-07T03:00:00Z"), "2027-11-07T08:00-05:00");
        let lord_howe = quiet(Tz::Australia__Lord_Howe, (22, 0), (6, 0));
        assert_eq!(over(&lord_howe, "2027-10-02T13:00:00Z"), "2027-10-03T06:00+11:00");
        assert_eq!(over(&lord_howe, "2027-04-03T13:00:00Z"), "2027-04-04T06:00+10:30");
    }

    #[test]
    fn an_end_that_the_clock_skips_is_when_it_has_skipped_it() {
        // 02:00 to 03:00 does not exist.
        let berlin = quiet(Tz::Europe__Berlin, (22, 0), (2, 30));
        assert_eq!(over(&berlin, "2027-03-28T00:30:00Z"), "2027-03-28T03:00+02:00");
    }

    #[test]
    fn an_hour_that_comes_twice_is_quiet_twice() {
        let berlin = quiet(Tz::Europe__Berlin, (22, 0), (2, 30));
        assert_eq!(over(&berlin, "2027-10-31T00:15:00Z"), "2027-10-31T02:30+02:00");
        // The second 02:15.
        assert_eq!(over(&berlin, "2027-10-31T01:15:00Z"), "2027-10-31T02:30+01:00");
    }

    #[test]
    fn a_day_that_was_left_out_is_left_out() {
        // Samoa had no 30 December 2011.
        let apia = quiet(Tz::Pacific__Apia, (20, 0), (9, 0));
        assert_eq!(over(&apia, "2011-12-30T09:30:00Z"), "2011-12-31T09:00+14:00");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn quiet_ends_at_the_first_minute_that_is_not_quiet(
            zone in prop::sample::select(vec![
                Tz::UTC, Tz::Europe__Berlin, Tz::America__New_York, Tz::Australia__Lord_Howe,
                Tz::America__St_Johns, Tz::Asia__Kathmandu, Tz::Pacific__Apia, Tz::Africa__Casablanca,
            ]),
            from in 0_u32..1440,
            length in 1_u32..1439,
            minute in 0_i64..(3 * 366 * 1440),
        ) {
            let time = |minutes: u32| NaiveTime::from_hms_opt(minutes / 60, minutes % 60, 0).unwrap();
            let quiet = Quiet { from: time(from), until: time((from + length) % 1440), zone };
            let start: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
            let at = start + TimeDelta::minutes(minute);
            let over = quiet.over(at);
            prop_assert!(!quiet.holds(over));
            let minutes = (over - at).num_minutes();
            prop_assert!(minutes >= 0);
            for before in 0..minutes {
                prop_assert!(quiet.holds(at + TimeDelta::minutes(before)), "{} of {minutes}", before);
            }
        }
    }
}
