//! Free time on days when the clock is changed, against a plain walk through every minute.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Timelike;
use proptest::prelude::*;

use super::*;

const ZONES: [Tz; 3] = [Tz::Europe__London, Tz::America__New_York, Tz::Australia__Lord_Howe];

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

fn minute(of_day: u32) -> NaiveTime {
    NaiveTime::from_hms_opt(of_day / 60, of_day % 60, 0).unwrap()
}

fn hours(date: NaiveDate, zone: Tz, opens: u32, closes: u32) -> Hours {
    Hours {
        weekday: date.weekday().number_from_monday(),
        opens: minute(opens),
        closes: minute(closes),
        zone,
        valid_from: date,
        valid_until: date,
    }
}

/// From well before the day until well after it, in any zone.
fn around(date: NaiveDate) -> Span {
    let noon = date.and_hms_opt(12, 0, 0).unwrap().and_utc();
    Span { from: noon - TimeDelta::days(3), until: noon + TimeDelta::days(3) }
}

/// Each wall-clock minute of the day that exists, with its first instant, found by walking through UTC.
fn minutes_of(date: NaiveDate, zone: Tz) -> BTreeMap<NaiveTime, DateTime<Utc>> {
    let mut minutes = BTreeMap::new();
    let mut at = around(date).from;
    while at < around(date).until {
        let wall = at.with_timezone(&zone).naive_local();
        if wall.date() == date {
            minutes.entry(wall.time()).or_insert(at);
        }
        at += TimeDelta::minutes(1);
    }
    minutes
}

/// The days of a year on which the clock is changed.
fn changes(year: i32, zone: Tz) -> Vec<NaiveDate> {
    let offset = |date: NaiveDate| {
        let midnight = zone.from_local_datetime(&date.and_hms_opt(0, 0, 0).unwrap()).earliest().unwrap();
        midnight.naive_local() - midnight.naive_utc()
    };
    day(year, 1, 1)
        .iter_days()
        .take(365)
        .filter(|date| offset(*date) != offset(date.succ_opt().unwrap()))
        .collect()
}

fn any_day() -> impl Strategy<Value = (NaiveDate, Tz)> {
    (0..ZONES.len(), 2015..2037, any::<bool>(), 0..365u64, 0..2usize).prop_map(
        |(zone, year, change, plain, which)| {
            let zone = ZONES[zone];
            let plain = day(year, 1, 1) + chrono::Days::new(plain);
            (if change { changes(year, zone)[which] } else { plain }, zone)
        },
    )
}

fn starts(hours: &[Hours], date: NaiveDate, length: i64, taken: &[Span]) -> Vec<Span> {
    free(hours, around(date), TimeDelta::minutes(length), Buffers::default(), &alone(taken), &[])
}

/// One resource that takes one visit at a time.
fn alone(taken: &[Span]) -> [Occupancy; 1] {
    [Occupancy::new(1, taken.iter().map(|span| (0, *span)))]
}

fn walls(spans: &[Span], zone: Tz) -> Vec<String> {
    spans.iter().map(|span| span.from.with_timezone(&zone).format("%H:%M%:z").to_string()).collect()
}

#[test]
fn skipped_times_have_no_slot() {
    let zone = Tz::Europe__London;
    let spring = day(2026, 3, 29);
    let found = starts(&[hours(spring, zone, 0, 180)], spring, 30, &[]);
    // 01:00 to 02:00 does not exist; a visit from 00:45 goes on until 02:15.
    assert_eq!(
        walls(&found, zone),
        [
            "00:00+00:00",
            "00:15+00:00",
            "00:30+00:00",
            "00:45+00:00",
            "02:00+01:00",
            "02:15+01:00",
            "02:30+01:00"
        ]
    );
    // Half an hour is skipped on Lord Howe Island.
    let zone = Tz::Australia__Lord_Howe;
    let spring = day(2026, 10, 4);
    let found = starts(&[hours(spring, zone, 90, 180)], spring, 15, &[]);
    assert_eq!(walls(&found, zone), ["01:30+10:30", "01:45+10:30", "02:30+11:00", "02:45+11:00"]);
}

#[test]
fn repeated_times_have_one_slot() {
    let zone = Tz::America__New_York;
    let autumn = day(2026, 11, 1);
    let found = starts(&[hours(autumn, zone, 30, 150)], autumn, 30, &[]);
    assert_eq!(
        walls(&found, zone),
        [
            "00:30-04:00",
            "00:45-04:00",
            "01:00-04:00",
            "01:15-04:00",
            "01:30-04:00",
            "01:45-04:00",
            "02:00-05:00"
        ]
    );
}

#[test]
fn hours_that_end_in_a_skipped_hour_keep_their_length() {
    let zone = Tz::Europe__London;
    let spring = day(2026, 3, 29);
    // 00:00 to 01:30 are ninety minutes, the last of which end at 02:30.
    let found = starts(&[hours(spring, zone, 0, 90)], spring, 90, &[]);
    assert_eq!(walls(&found, zone), ["00:00+00:00"]);
    assert_eq!(found[0].until.with_timezone(&zone).format("%H:%M").to_string(), "02:30");
}

#[test]
fn buffers_keep_a_distance_and_touching_is_allowed() {
    let (zone, date) = (Tz::UTC, day(2026, 6, 1));
    let at = |hour, minute| date.and_hms_opt(hour, minute, 0).unwrap().and_utc();
    let taken = [Span { from: at(10, 0), until: at(10, 30) }];
    let buffers = Buffers { before: TimeDelta::minutes(5), after: TimeDelta::minutes(10) };
    let hours = [hours(date, zone, 9 * 60, 12 * 60)];
    let found = free(&hours, around(date), TimeDelta::minutes(30), buffers, &alone(&taken), &[]);
    assert_eq!(
        walls(&found, zone),
        ["09:00+00:00", "09:15+00:00", "10:45+00:00", "11:00+00:00", "11:15+00:00", "11:30+00:00"]
    );
    let found = free(&hours, around(date), TimeDelta::minutes(30), Buffers::default(), &alone(&taken), &[]);
    assert_eq!(walls(&found, zone)[2..4], ["09:30+00:00", "10:30+00:00"]);
}

#[test]
fn rules_that_meet_or_repeat_give_each_start_once() {
    let (zone, date) = (Tz::UTC, day(2026, 6, 1));
    let twice = [hours(date, zone, 540, 600), hours(date, zone, 540, 600), hours(date, zone, 570, 600)];
    assert_eq!(walls(&starts(&twice, date, 30, &[]), zone), ["09:00+00:00", "09:15+00:00", "09:30+00:00"]);
    assert!(starts(&twice, date, 0, &[]).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_existing_minute_on_the_grid_starts_once(
        (date, zone) in any_day(), opens in 0u32..80, quarters in 1u32..40, length in prop::sample::select(vec![5i64, 10, 15, 20, 45, 60, 120]),
        busy in prop::collection::vec((0i64..1440, 1i64..180), 0..6),
    ) {
        let opens = opens * 15;
        let closes = (opens + quarters * 15).min(1439);
        let minutes = minutes_of(date, zone);
        let midnight = *minutes.values().next().unwrap();
        let taken: Vec<Span> = busy.iter().map(|(from, length)| {
            let from = midnight + TimeDelta::minutes(*from);
            Span { from, until: from + TimeDelta::minutes(*length) }
        }).collect();
        let found = starts(&[hours(date, zone, opens, closes)], date, length, &taken);

        let step = length.min(15) as u32;
        // The oracle knows no zones: it walked through the day and saw which minutes there are.
        let end = minutes.get(&minute(closes)).copied().unwrap_or_else(|| {
            let (wall, last) = minutes.range(..minute(closes)).next_back().unwrap();
            *last + TimeDelta::minutes(i64::from(closes) - i64::from(wall.hour() * 60 + wall.minute()))
        });
        let expected: BTreeSet<Span> = minutes.iter()
            .filter(|(wall, _)| (minute(opens)..minute(closes)).contains(wall))
            .filter(|(wall, _)| (wall.hour() * 60 + wall.minute() - opens).is_multiple_of(step))
            .map(|(_, at)| Span { from: *at, until: *at + TimeDelta::minutes(length) })
            .filter(|visit| visit.until <= end)
            .filter(|visit| taken.iter().all(|taken| taken.until <= visit.from || taken.from >= visit.until))
            .collect();
        prop_assert!(found.is_sorted());
        prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn nothing_is_found_outside_of_the_span((date, zone) in any_day(), from in 0i64..1440, long in 1i64..600) {
        let all = starts(&[hours(date, zone, 0, 1439)], date, 30, &[]);
        let from = around(date).from + TimeDelta::days(2) + TimeDelta::minutes(from);
        let within = Span { from, until: from + TimeDelta::minutes(long) };
        let found = free(&[hours(date, zone, 0, 1439)], within, TimeDelta::minutes(30), Buffers::default(), &[], &[]);
        let expected: Vec<Span> = all.into_iter().filter(|visit| visit.from >= within.from && visit.until <= within.until).collect();
        prop_assert_eq!(found, expected);
    }
}
