//! When visits recur: the part of RFC 5545 that a clinic needs.
//!
//! A rule is expanded on the wall clock of a zone. A day that a month has not, or a time that the clock skips, is
//! no occurrence and is not counted; a time that comes twice occurs once, the first time.

use std::str::FromStr;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, TimeZone, Utc, Weekday};
use chrono_tz::Tz;

/// The most occurrences of one rule: two years of weeks.
pub(super) const MOST: usize = 104;

/// How often something recurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Frequency {
    Daily,
    Weekly,
    Monthly,
}

/// When it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Count(usize),
    /// The last instant.
    Until(DateTime<Utc>),
    /// The last day on the wall clock.
    UntilDay(NaiveDate),
}

/// A rule that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recurrence {
    frequency: Frequency,
    interval: u32,
    end: End,
    /// Days of the week; for months with the number of the day within the month, from the end where negative.
    by_day: Vec<(i8, Weekday)>,
    by_month_day: Vec<i8>,
}

/// Why a rule was not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unreadable(&'static str);

impl FromStr for Recurrence {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let text = text.strip_prefix("RRULE:").unwrap_or(text);
        let (mut frequency, mut interval, mut end) = (None, 1, None);
        let (mut by_day, mut by_month_day) = (Vec::new(), Vec::new());
        for part in text.split(';') {
            let (name, value) = part.split_once('=').ok_or(Unreadable("Each part is NAME=VALUE."))?;
            match name {
                "FREQ" => frequency = Some(frequency_of(value)?),
                "INTERVAL" => {
                    let number = value.parse().ok().filter(|number| (1..=366).contains(number));
                    interval = number.ok_or(Unreadable("INTERVAL is a number from 1 to 366."))?;
                }
                "COUNT" | "UNTIL" if end.is_some() => {
                    return Err(Unreadable("COUNT and UNTIL exclude each other."));
                }
                "COUNT" => {
                    let number = value.parse().ok().filter(|number| (1..=MOST).contains(number));
                    end = Some(End::Count(number.ok_or(Unreadable("COUNT is a number from 1 to 104."))?));
                }
                "UNTIL" => {
                    end = Some(until(value).ok_or(Unreadable("UNTIL is 20270131 or 20270131T100000Z."))?)
                }
                "BYDAY" => by_day = value.split(',').map(day).collect::<Result<_, _>>()?,
                "BYMONTHDAY" => by_month_day = value.split(',').map(month_day).collect::<Result<_, _>>()?,
                "WKST" if value == "MO" => {}
                _ => {
                    return Err(Unreadable(
                        "Only FREQ, INTERVAL, COUNT, UNTIL, BYDAY and BYMONTHDAY are known.",
                    ));
                }
            }
        }
        let frequency = frequency.ok_or(Unreadable("FREQ is DAILY, WEEKLY or MONTHLY."))?;
        let end = end.ok_or(Unreadable("COUNT or UNTIL says when it ends."))?;
        if frequency != Frequency::Monthly
            && (by_day.iter().any(|(nth, _)| *nth != 0) || !by_month_day.is_empty())
        {
            return Err(Unreadable("Days of a month need FREQ=MONTHLY."));
        }
        if !by_day.is_empty() && !by_month_day.is_empty() {
            return Err(Unreadable("BYDAY and BYMONTHDAY exclude each other."));
        }
        Ok(Self { frequency, interval, end, by_day, by_month_day })
    }
}

fn frequency_of(value: &str) -> Result<Frequency, Unreadable> {
    match value {
        "DAILY" => Ok(Frequency::Daily),
        "WEEKLY" => Ok(Frequency::Weekly),
        "MONTHLY" => Ok(Frequency::Monthly),
        _ => Err(Unreadable("FREQ is DAILY, WEEKLY or MONTHLY.")),
    }
}

fn until(value: &str) -> Option<End> {
    match value.strip_suffix('Z') {
        Some(at) => {
            NaiveDateTime::parse_from_str(at, "%Y%m%dT%H%M%S").ok().map(|at| End::Until(at.and_utc()))
        }
        None => NaiveDate::parse_from_str(value, "%Y%m%d").ok().map(End::UntilDay),
    }
}

fn day(value: &str) -> Result<(i8, Weekday), Unreadable> {
    let unreadable = Unreadable("BYDAY lists days such as MO, 2TU or -1FR.");
    let (nth, name) = value.split_at_checked(value.len().saturating_sub(2)).ok_or(unreadable)?;
    let weekday = match name {
        "MO" => Weekday::Mon,
        "TU" => Weekday::Tue,
        "WE" => Weekday::Wed,
        "TH" => Weekday::Thu,
        "FR" => Weekday::Fri,
        "SA" => Weekday::Sat,
        "SU" => Weekday::Sun,
        _ => return Err(unreadable),
    };
    let nth = if nth.is_empty() {
        Some(0)
    } else {
        nth.parse().ok().filter(|nth| *nth != 0 && (-5..=5).contains(nth))
    };
    Ok((nth.ok_or(unreadable)?, weekday))
}

fn month_day(value: &str) -> Result<i8, Unreadable> {
    let day = value.parse().ok().filter(|day| *day != 0 && (-31..=31).contains(day));
    day.ok_or(Unreadable("BYMONTHDAY lists days from 1 to 31, or from -1 to -31."))
}

impl Recurrence {
    /// The starts from the first one on, up to a horizon; one more than [`MOST`] where there are too many.
    pub(super) fn starts(
        &self,
        first: NaiveDateTime,
        zone: Tz,
        horizon: DateTime<Utc>,
    ) -> Vec<DateTime<Utc>> {
        let last_day = horizon.with_timezone(&zone).date_naive();
        let most = match self.end {
            End::Count(count) => count,
            End::Until(_) | End::UntilDay(_) => MOST + 1,
        };
        self.days(first.date(), last_day)
            .into_iter()
            .filter(|day| *day >= first.date())
            .filter_map(|day| zone.from_local_datetime(&day.and_time(first.time())).earliest())
            .take_while(|start| match self.end {
                End::Count(_) => true,
                End::Until(until) => start.to_utc() <= until,
                End::UntilDay(day) => start.date_naive() <= day,
            })
            .map(|start| start.to_utc())
            .take_while(|start| *start <= horizon)
            .take(most)
            .collect()
    }

    /// The days that the rule names, in order, from the period of the first one on.
    fn days(&self, first: NaiveDate, last: NaiveDate) -> Vec<NaiveDate> {
        let interval = self.interval;
        let periods = (0u32..).map(|number| number.saturating_mul(interval));
        let monday = first.week(Weekday::Mon).first_day();
        let month = first.with_day(1).unwrap_or(first);
        match self.frequency {
            Frequency::Daily => periods
                .map_while(|days| first.checked_add_days(Days::new(days.into())))
                .take_while(|day| *day <= last)
                .filter(|day| {
                    self.by_day.is_empty() || self.by_day.iter().any(|(_, wanted)| *wanted == day.weekday())
                })
                .collect(),
            Frequency::Weekly => periods
                .map_while(|weeks| monday.checked_add_days(Days::new(u64::from(weeks) * 7)))
                .take_while(|monday| *monday <= last)
                .flat_map(|monday| self.days_of_week(monday, first.weekday()))
                .collect(),
            Frequency::Monthly => periods
                .map_while(|months| month.checked_add_months(Months::new(months)))
                .take_while(|month| *month <= last)
                .flat_map(|month| self.days_of_month(month, first.day()))
                .collect(),
        }
    }

    fn days_of_week(&self, monday: NaiveDate, default: Weekday) -> Vec<NaiveDate> {
        let wanted = |day: &NaiveDate| match self.by_day.as_slice() {
            [] => day.weekday() == default,
            listed => listed.iter().any(|(_, wanted)| *wanted == day.weekday()),
        };
        monday.iter_days().take(7).filter(wanted).collect()
    }

    fn days_of_month(&self, first: NaiveDate, default: u32) -> Vec<NaiveDate> {
        let length = i64::from(first.num_days_in_month());
        let wanted = |day: &NaiveDate| {
            let (from_start, from_end) = (i64::from(day.day()), i64::from(day.day()) - length - 1);
            if !self.by_month_day.is_empty() {
                return self.by_month_day.iter().any(|day| [from_start, from_end].contains(&i64::from(*day)));
            }
            if self.by_day.is_empty() {
                return day.day() == default;
            }
            let nth = [0, (from_start - 1) / 7 + 1, (from_end + 1) / 7 - 1];
            self.by_day.iter().any(|(wanted_nth, weekday)| {
                *weekday == day.weekday() && nth.contains(&i64::from(*wanted_nth))
            })
        };
        first.iter_days().take(usize::from(first.num_days_in_month())).filter(wanted).collect()
    }
}

#[cfg(test)]
mod tests;
