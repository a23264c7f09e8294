//! Holidays, absences, repairs and extra hours: what differs from the weekly hours.
//!
//! Times are those on the wall clock of the branch. What is closed covers a repeated hour twice, and all of a day
//! that is an hour longer than others.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use chrono_tz::Tz;
use praxis_entity::{
    availability_exception::{self, Column, Entity, ExceptionKind},
    ids::{FacilityId, PractitionerId},
};
use praxis_platform::Op;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::slots::{Hours, Span, first_instant, last_instant};
use crate::{Result, page::any_of};

/// The exceptions of some branches within a span.
#[derive(Debug, Default)]
pub(super) struct Exceptions {
    rows: Vec<availability_exception::Model>,
    within: Option<Span>,
}

impl Exceptions {
    /// Those that matter within a span; of all branches when none is named.
    pub(super) async fn within<M>(op: &Op<M>, facilities: &[FacilityId], within: Span) -> Result<Self> {
        // A day is a day of the branch, up to 14 hours away from the one in UTC.
        let first = within.from.date_naive().pred_opt().unwrap_or(NaiveDate::MIN);
        let last = within.until.date_naive().succ_opt().unwrap_or(NaiveDate::MAX);
        let mut wanted = Entity::find().filter(Column::FirstDay.lte(last)).filter(Column::LastDay.gte(first));
        if !facilities.is_empty() {
            wanted = wanted.filter(any_of(Column::FacilityId, facilities.iter().map(|id| id.0).collect()));
        }
        Ok(Self { rows: wanted.all(op.db()).await?, within: Some(within) })
    }

    /// When a practitioner works at the branch in addition.
    pub(super) fn extra(&self, facility: FacilityId, practitioner: PractitionerId) -> Vec<Hours> {
        let own = self.rows.iter().filter(|row| {
            row.kind == ExceptionKind::Extra
                && row.facility_id == facility
                && row.practitioner_id == Some(practitioner)
        });
        own.filter_map(Hours::extra).flatten().collect()
    }

    /// When the branch, or one of the resources, is closed there.
    pub(super) fn closed(&self, facility: FacilityId, resources: &[Uuid]) -> Vec<Span> {
        let closed = self.rows.iter().filter(|row| {
            let of = row
                .practitioner_id
                .map(|id| id.0)
                .or(row.room_id.map(|id| id.0))
                .or(row.device_id.map(|id| id.0));
            row.kind == ExceptionKind::Closed
                && row.facility_id == facility
                && of.is_none_or(|of| resources.contains(&of))
        });
        closed.flat_map(|row| self.spans(row)).collect()
    }

    fn spans(&self, row: &availability_exception::Model) -> Vec<Span> {
        let (Ok(zone), Some(within)) = (row.time_zone.parse::<Tz>(), self.within) else { return Vec::new() };
        let first = row.first_day.max(within.from.with_timezone(&zone).date_naive());
        let last = row.last_day.min(within.until.with_timezone(&zone).date_naive());
        let days = first.iter_days().take_while(|day| *day <= last);
        days.filter_map(|day| span(zone, day, row.starts_local, row.ends_local)).collect()
    }
}

/// The part of a day between two times of its wall clock; all of it without them.
fn span(zone: Tz, day: NaiveDate, starts: Option<NaiveTime>, ends: Option<NaiveTime>) -> Option<Span> {
    let from: NaiveDateTime = day.and_time(starts.unwrap_or(NaiveTime::MIN));
    let until: Option<DateTime<Utc>> = match ends {
        Some(ends) => last_instant(zone, day.and_time(ends)),
        None => first_instant(zone, day.succ_opt()?.and_time(NaiveTime::MIN)),
    };
    Some(Span { from: first_instant(zone, from)?, until: until? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn hours(zone: Tz, date: &str) -> i64 {
        let span = span(zone, day(date), None, None).unwrap();
        (span.until - span.from).num_minutes()
    }

    #[test]
    fn a_closed_day_is_as_long_as_the_day_is() {
        for (zone, spring, autumn, shift) in [
            (Tz::Europe__Berlin, "2027-03-28", "2027-10-31", 60),
            (Tz::America__New_York, "2027-03-14", "2027-11-07", 60),
            (Tz::Australia__Lord_Howe, "2027-10-03", "2027-04-04", 30),
        ] {
            assert_eq!(hours(zone, spring), 24 * 60 - shift, "{zone}");
            assert_eq!(hours(zone, autumn), 24 * 60 + shift, "{zone}");
            assert_eq!(hours(zone, "2027-06-15"), 24 * 60, "{zone}");
        }
    }

    #[test]
    fn what_is_closed_until_a_repeated_time_is_closed_both_times() {
        let at = |hour| NaiveTime::from_hms_opt(hour, 30, 0);
        let closed = span(Tz::America__New_York, day("2027-11-07"), at(0), at(1)).unwrap();
        assert_eq!((closed.until - closed.from).num_minutes(), 120);
        // From a time that does not exist: it begins when the clock has jumped.
        let closed = span(Tz::Europe__Berlin, day("2027-03-28"), at(2), at(4)).unwrap();
        assert_eq!(closed.from, "2027-03-28T01:30:00Z".parse::<DateTime<Utc>>().unwrap());
        assert_eq!((closed.until - closed.from).num_minutes(), 60);
    }
}
