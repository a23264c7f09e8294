//! Rules against what RFC 5545 says of them, and against a plain walk through every day.

use chrono::{NaiveTime, TimeDelta};
use proptest::prelude::*;

use super::*;

fn starts(rule: &str, first: &str, zone: Tz) -> Vec<String> {
    let first: NaiveDateTime = first.parse().unwrap();
    let horizon = first.and_utc() + TimeDelta::days(731);
    let starts = rule.parse::<Recurrence>().unwrap().starts(first, zone, horizon);
    starts.iter().map(|start| start.with_timezone(&zone).format("%Y-%m-%dT%H:%M%:z").to_string()).collect()
}

#[test]
fn a_weekly_visit_keeps_its_time_of_day_when_the_clock_is_changed() {
    assert_eq!(
        starts("FREQ=WEEKLY;COUNT=3", "2027-03-21T09:00:00", Tz::Europe__Berlin),
        ["2027-03-21T09:00+01:00", "2027-03-28T09:00+02:00", "2027-04-04T09:00+02:00"]
    );
    assert_eq!(
        starts("FREQ=WEEKLY;COUNT=2", "2027-10-31T09:00:00", Tz::America__New_York),
        ["2027-10-31T09:00-04:00", "2027-11-07T09:00-05:00"]
    );
    assert_eq!(
        starts("FREQ=WEEKLY;COUNT=2", "2027-03-28T09:00:00", Tz::Australia__Lord_Howe),
        ["2027-03-28T09:00+11:00", "2027-04-04T09:00+10:30"]
    );
}

#[test]
fn a_time_that_does_not_exist_is_no_occurrence_and_is_not_counted() {
    assert_eq!(
        starts("FREQ=DAILY;COUNT=3", "2027-03-27T02:30:00", Tz::Europe__Berlin),
        ["2027-03-27T02:30+01:00", "2027-03-29T02:30+02:00", "2027-03-30T02:30+02:00"]
    );
    assert_eq!(
        starts("FREQ=DAILY;COUNT=2", "2027-03-13T02:30:00", Tz::America__New_York),
        ["2027-03-13T02:30-05:00", "2027-03-15T02:30-04:00"]
    );
    // On Lord Howe Island half an hour is skipped: from 02:00 to 02:30.
    assert_eq!(
        starts("FREQ=DAILY;COUNT=2", "2027-10-02T02:15:00", Tz::Australia__Lord_Howe),
        ["2027-10-02T02:15+10:30", "2027-10-04T02:15+11:00"]
    );
}

#[test]
fn a_time_that_comes_twice_occurs_once_the_first_time() {
    assert_eq!(
        starts("FREQ=DAILY;COUNT=3", "2027-10-30T02:30:00", Tz::Europe__Berlin),
        ["2027-10-30T02:30+02:00", "2027-10-31T02:30+02:00", "2027-11-01T02:30+01:00"]
    );
    assert_eq!(
        starts("FREQ=DAILY;COUNT=3", "2027-11-06T01:30:00", Tz::America__New_York),
        ["2027-11-06T01:30-04:00", "2027-11-07T01:30-04:00", "2027-11-08T01:30-05:00"]
    );
    assert_eq!(
        starts("FREQ=DAILY;COUNT=3", "2027-04-03T01:45:00", Tz::Australia__Lord_Howe),
        ["2027-04-03T01:45+11:00", "2027-04-04T01:45+11:00", "2027-04-05T01:45+10:30"]
    );
}

#[test]
fn the_examples_of_the_standard_come_out_as_it_says() {
    let days = |rule: &str, first: &str| -> Vec<String> {
        let all = starts(rule, first, Tz::America__New_York);
        all.iter().map(|start| start[..10].to_owned()).collect()
    };
    assert_eq!(
        days("FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=MO;BYDAY=TU,TH", "1997-09-02T09:00:00"),
        [
            "1997-09-02",
            "1997-09-04",
            "1997-09-16",
            "1997-09-18",
            "1997-09-30",
            "1997-10-02",
            "1997-10-14",
            "1997-10-16"
        ]
    );
    assert_eq!(
        days("FREQ=MONTHLY;COUNT=3;BYDAY=1FR", "1997-09-05T09:00:00"),
        ["1997-09-05", "1997-10-03", "1997-11-07"]
    );
    assert_eq!(
        days("FREQ=MONTHLY;INTERVAL=2;COUNT=4;BYDAY=1SU,-1SU", "1997-09-07T09:00:00"),
        ["1997-09-07", "1997-09-28", "1997-11-02", "1997-11-30"]
    );
    assert_eq!(
        days("FREQ=MONTHLY;COUNT=3;BYDAY=-2MO", "1997-09-22T09:00:00"),
        ["1997-09-22", "1997-10-20", "1997-11-17"]
    );
    assert_eq!(
        days("FREQ=MONTHLY;BYMONTHDAY=-3;COUNT=3", "1997-09-28T09:00:00"),
        ["1997-09-28", "1997-10-29", "1997-11-28"]
    );
    assert_eq!(
        days("FREQ=MONTHLY;COUNT=4", "2007-01-31T09:00:00"),
        ["2007-01-31", "2007-03-31", "2007-05-31", "2007-07-31"]
    );
    assert_eq!(days("FREQ=DAILY;UNTIL=19970904T130000Z", "1997-09-02T09:00:00").len(), 3);
    assert_eq!(days("FREQ=DAILY;UNTIL=19970904T125959Z", "1997-09-02T09:00:00").len(), 2);
    assert_eq!(days("FREQ=DAILY;INTERVAL=10;UNTIL=19971002", "1997-09-02T09:00:00").len(), 4);
}

#[test]
fn what_is_not_understood_is_refused() {
    for rule in [
        "",
        "FREQ=WEEKLY",
        "FREQ=YEARLY;COUNT=2",
        "COUNT=2",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;COUNT=105",
        "FREQ=DAILY;COUNT=2;UNTIL=20270101",
        "FREQ=DAILY;COUNT=2;INTERVAL=0",
        "FREQ=WEEKLY;COUNT=2;BYDAY=XX",
        "FREQ=WEEKLY;COUNT=2;BYDAY=1MO",
        "FREQ=MONTHLY;COUNT=2;BYDAY=6MO",
        "FREQ=MONTHLY;COUNT=2;BYMONTHDAY=32",
        "FREQ=MONTHLY;COUNT=2;BYMONTHDAY=1;BYDAY=MO",
        "FREQ=DAILY;COUNT=2;BYHOUR=3",
        "FREQ=DAILY;UNTIL=2027-01-01",
        "freq=daily;count=2",
        "FREQ=DAILY;COUNT=2;",
        "FREQ=WEEKLY;COUNT=2;BYDAY=é",
        "FREQ=DAILY;COUNT=-1",
    ] {
        assert!(rule.parse::<Recurrence>().is_err(), "{rule}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,60}") {
        let _ = text.parse::<Recurrence>();
    }

    #[test]
    fn weekly_starts_are_the_wanted_weekdays_of_every_nth_week_at_one_time_of_day(
        zone in prop::sample::select(vec![Tz::Europe__Berlin, Tz::America__New_York, Tz::Australia__Lord_Howe]),
        offset in 0u64..3000, minute in 0u32..1440, interval in 1u32..5, count in 1usize..60, wanted in 1u8..128,
    ) {
        let names = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
        let is_wanted = |day: &NaiveDate| wanted & (1 << day.weekday().num_days_from_monday()) != 0;
        let first = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap() + Days::new(offset);
        let first = first.iter_days().find(is_wanted).unwrap();
        let time = NaiveTime::from_hms_opt(minute / 60, minute % 60, 0).unwrap();
        let by: Vec<&str> = (0..7).filter(|day| wanted & (1 << day) != 0).map(|day| names[day]).collect();
        let rule = format!("FREQ=WEEKLY;INTERVAL={interval};COUNT={count};BYDAY={}", by.join(","));
        let horizon = first.and_time(time).and_utc() + TimeDelta::days(5000);
        let found = rule.parse::<Recurrence>().unwrap().starts(first.and_time(time), zone, horizon);

        // The oracle walks through all days and counts weeks.
        let monday = first.week(Weekday::Mon).first_day();
        let expected: Vec<_> = first.iter_days()
            .filter(is_wanted)
            .filter(|day| ((*day - monday).num_days() / 7) % i64::from(interval) == 0)
            .filter_map(|day| zone.from_local_datetime(&day.and_time(time)).earliest())
            .map(|start| start.to_utc())
            .take(count)
            .collect();
        prop_assert!(found.is_sorted());
        prop_assert_eq!(found, expected);
    }
}
