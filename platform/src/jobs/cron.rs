//! When work is due that recurs by the clock on the clinic's wall.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::Cron;

/// The next time behind an instant that a cron expression names in a zone; `None` when either can't be read.
///
/// Where the clock goes forward over that time, it is due right after the gap; where it goes back, once.
pub fn next_time(cron: &str, zone: &str, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let (cron, zone) = (Cron::from_str(cron).ok()?, zone.parse::<Tz>().ok()?);
    let next = cron.find_next_occurrence(&after.with_timezone(&zone), false).ok()?;
    Some(next.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(cron: &str, zone: &str, after: &str) -> String {
        let next = next_time(cron, zone, after.parse().unwrap()).unwrap();
        next.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    }

    #[test]
    fn the_wall_clock_of_the_clinic_decides() {
        assert_eq!(next("30 3 * * *", "America/New_York", "2026-01-10T00:00:00Z"), "2026-01-10T08:30:00Z");
        assert_eq!(next("30 3 * * *", "America/New_York", "2026-07-10T00:00:00Z"), "2026-07-10T07:30:00Z");
        assert_eq!(next("30 3 * * *", "Asia/Kolkata", "2026-01-10T00:00:00Z"), "2026-01-10T22:00:00Z");
    }

    #[test]
    fn a_time_that_the_clock_skips_is_made_up_for_and_one_that_comes_twice_is_used_once() {
        assert_eq!(next("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z"), "2026-03-29T01:00:00Z");
        assert_eq!(next("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z"), "2026-10-25T00:30:00Z");
        assert_eq!(next("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z"), "2026-10-26T01:30:00Z");
    }

    #[test]
    fn what_cannot_be_read_has_no_next_time() {
        assert_eq!(next_time("at noon", "Europe/Berlin", DateTime::UNIX_EPOCH), None);
        assert_eq!(next_time("0 12 * * *", "Europe/Nowhere", DateTime::UNIX_EPOCH), None);
    }
}
