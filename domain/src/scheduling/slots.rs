//! When there is room: weekly hours on a wall clock, less the time that is taken.
//!
//! A start is a wall-clock time. Where the clock skips an hour, the skipped times have no start;
//! where an hour comes twice, each time has one, the first.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use praxis_entity::{availability_exception, availability_rule, visit_type};

use super::hold::{Resource, Taken};

/// Starts lie this far apart, unless visits are shorter.
const STEP: TimeDelta = TimeDelta::minutes(15);

/// A span of time; its end is not part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    pub(super) from: DateTime<Utc>,
    pub(super) until: DateTime<Utc>,
}

impl Span {
    /// The span with time added on both sides.
    pub(super) fn widened(self, buffers: Buffers) -> Self {
        Self { from: self.from - buffers.before, until: self.until + buffers.after }
    }
}

/// Time kept free around a visit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Buffers {
    pub(super) before: TimeDelta,
    pub(super) after: TimeDelta,
}

impl From<&visit_type::Model> for Buffers {
    fn from(kind: &visit_type::Model) -> Self {
        Self {
            before: TimeDelta::minutes(i64::from(kind.buffer_before_minutes)),
            after: TimeDelta::minutes(i64::from(kind.buffer_after_minutes)),
        }
    }
}

/// The time that is taken of a resource, lane by lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Occupancy(Vec<Vec<Span>>);

impl Occupancy {
    /// Of what visits hold in the lanes within the resource's capacity.
    pub(super) fn of(resource: &Resource, taken: &[Taken]) -> Self {
        let own = taken.iter().filter(|held| held.resource == resource.id);
        Self::new(resource.capacity, own.map(|held| (held.lane, held.span)))
    }

    /// The same from lanes and spans.
    pub(super) fn new(capacity: i32, taken: impl Iterator<Item = (i32, Span)>) -> Self {
        let mut lanes = vec![Vec::new(); usize::try_from(capacity).unwrap_or(0)];
        for (lane, span) in taken {
            // Visits beyond the capacity were booked on purpose, and take no room from others.
            if let Some(lane) = usize::try_from(lane).ok().and_then(|lane| lanes.get_mut(lane)) {
                lane.push(span);
            }
        }
        Self(lanes.iter().map(|lane| merged(lane)).collect())
    }

    /// Whether one more visit has room throughout the span.
    pub(super) fn has_room(&self, span: Span) -> bool {
        self.0.iter().any(|lane| is_free(span, lane))
    }
}

/// Hours of one weekday, on the wall clock of a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hours {
    pub(super) weekday: u32,
    pub(super) opens: NaiveTime,
    pub(super) closes: NaiveTime,
    pub(super) zone: Tz,
    pub(super) valid_from: NaiveDate,
    pub(super) valid_until: NaiveDate,
}

impl Hours {
    /// The hours of a stored rule; `None` when its zone is not known any more.
    pub(super) fn of(rule: &availability_rule::Model) -> Option<Self> {
        Some(Self {
            weekday: u32::try_from(rule.weekday).ok()?,
            opens: rule.starts_local,
            closes: rule.ends_local,
            zone: rule.time_zone.parse().ok()?,
            valid_from: rule.valid_from,
            valid_until: rule.valid_until.unwrap_or(NaiveDate::MAX),
        })
    }

    /// The hours of an exception that adds some, weekday by weekday.
    pub(super) fn extra(row: &availability_exception::Model) -> Option<impl Iterator<Item = Self> + use<>> {
        let (opens, closes) = (row.starts_local?, row.ends_local?);
        let zone = row.time_zone.parse().ok()?;
        let (valid_from, valid_until) = (row.first_day, row.last_day);
        Some((1..=7).map(move |weekday| Self { weekday, opens, closes, zone, valid_from, valid_until }))
    }

    /// Office hours every day, for a practitioner whose own are not known.
    pub(super) fn office(zone: Tz) -> Vec<Self> {
        let at = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default();
        let day = |weekday| Self {
            weekday,
            opens: at(8),
            closes: at(18),
            zone,
            valid_from: NaiveDate::MIN,
            valid_until: NaiveDate::MAX,
        };
        (1..=7).map(day).collect()
    }

    /// Whether an instant lies within the hours.
    pub(super) fn contain(&self, at: DateTime<Utc>) -> bool {
        let wall = at.with_timezone(&self.zone).naive_local();
        self.open_on(wall.date()) && (self.opens..self.closes).contains(&wall.time())
    }

    fn open_on(&self, date: NaiveDate) -> bool {
        date.weekday().number_from_monday() == self.weekday
            && (self.valid_from..=self.valid_until).contains(&date)
    }

    /// The visits of this length that fit into the hours of a day.
    fn visits(&self, date: NaiveDate, length: TimeDelta) -> impl Iterator<Item = Span> + use<> {
        let (zone, closes) = (self.zone, date.and_time(self.closes));
        let closing = first_instant(zone, closes);
        let step = STEP.min(length);
        std::iter::successors(Some(date.and_time(self.opens)), move |wall| wall.checked_add_signed(step))
            .take_while(move |wall| *wall < closes)
            .filter_map(move |wall| zone.from_local_datetime(&wall).earliest())
            .map(move |start| Span { from: start.to_utc(), until: start.to_utc() + length })
            .filter(move |visit| closing.is_some_and(|closing| visit.until <= closing))
    }
}

/// The first instant at which a clock shows a time. One that it skips is read with the offset before.
pub(super) fn first_instant(zone: Tz, wall: NaiveDateTime) -> Option<DateTime<Utc>> {
    let shown = zone.from_local_datetime(&wall).earliest();
    shown.map(|at| at.to_utc()).or_else(|| skipped(zone, wall))
}

/// The last instant at which a clock shows a time. One that it skips is read with the offset before.
pub(super) fn last_instant(zone: Tz, wall: NaiveDateTime) -> Option<DateTime<Utc>> {
    let shown = zone.from_local_datetime(&wall).latest();
    shown.map(|at| at.to_utc()).or_else(|| skipped(zone, wall))
}

fn skipped(zone: Tz, wall: NaiveDateTime) -> Option<DateTime<Utc>> {
    let day = TimeDelta::days(1);
    zone.from_local_datetime(&(wall - day)).latest().map(|before| before.to_utc() + day)
}

/// The visits that fit into the hours and the span and collide with nothing, earliest first.
///
/// Each of the resources needs room, for a visit's buffers too; what is closed only keeps out the visit itself.
pub(super) fn free(
    hours: &[Hours],
    within: Span,
    length: TimeDelta,
    buffers: Buffers,
    resources: &[Occupancy],
    closed: &[Span],
) -> Vec<Span> {
    if length <= TimeDelta::zero() {
        return Vec::new();
    }
    let closed = merged(closed);
    let mut visits: Vec<Span> = hours
        .iter()
        .flat_map(|hours| {
            let first = within.from.with_timezone(&hours.zone).date_naive();
            let last = within.until.with_timezone(&hours.zone).date_naive();
            let days = first.iter_days().take_while(move |date| *date <= last);
            days.filter(|date| hours.open_on(*date)).flat_map(move |date| hours.visits(date, length))
        })
        .filter(|visit| visit.from >= within.from && visit.until <= within.until)
        .filter(|visit| is_free(*visit, &closed))
        .filter(|visit| resources.iter().all(|resource| resource.has_room(visit.widened(buffers))))
        .collect();
    visits.sort_unstable();
    visits.dedup();
    visits
}

/// The spans in order, without overlaps.
pub(super) fn merged(spans: &[Span]) -> Vec<Span> {
    let mut sorted = spans.to_vec();
    sorted.sort_unstable();
    let mut merged: Vec<Span> = Vec::with_capacity(sorted.len());
    for span in sorted {
        match merged.last_mut() {
            Some(last) if span.from <= last.until => last.until = last.until.max(span.until),
            _ => merged.push(span),
        }
    }
    merged
}

pub(super) fn is_free(span: Span, taken: &[Span]) -> bool {
    let next = taken.partition_point(|taken| taken.until <= span.from);
    taken.get(next).is_none_or(|taken| taken.from >= span.until)
}

#[cfg(test)]
mod tests;
