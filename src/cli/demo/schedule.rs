//! Who comes when: visits spread over the hours of the clinicians, so that none collides.

use std::collections::HashSet;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeZone, Utc, Weekday};
use chrono_tz::Tz;
use praxis_domain::staff::WeeklyRule;

use super::random::Random;

/// Days back and ahead that have visits.
const WINDOW: (u64, u64) = (100, 45);

/// The hours at which a visit can begin; each has its hour to itself.
const HOURS: [u32; 7] = [9, 10, 11, 13, 14, 15, 16];

/// What becomes of a visit in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It takes place; until then it is confirmed, if so.
    TakesPlace { confirmed: bool },
    /// The patient does not come; called off if that is still ahead.
    FallsThrough,
    /// It is called off.
    CalledOff,
}

/// A visit to book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan {
    /// Which patient, by place in the list.
    pub patient: usize,
    /// Which clinician.
    pub clinician: usize,
    /// Which kind of visit.
    pub visit: usize,
    /// The hour that is kept for it, buffers included.
    pub hour: DateTime<Utc>,
    /// What becomes of it.
    pub fate: Fate,
}

/// The hours of a clinician: Monday to Friday, with a break at noon.
pub(super) fn weekly_hours(today: NaiveDate) -> Vec<WeeklyRule> {
    let valid_from = today.checked_sub_days(Days::new(365)).unwrap_or(today);
    let rule = |weekday, from, until| {
        Some(WeeklyRule {
            weekday,
            starts_local: NaiveTime::from_hms_opt(from, 0, 0)?,
            ends_local: NaiveTime::from_hms_opt(until, 0, 0)?,
            valid_from,
            valid_until: None,
        })
    };
    (1..=5).flat_map(|weekday| [rule(weekday, 9, 12), rule(weekday, 13, 17)]).flatten().collect()
}

/// Visits for the patients: one or two each.
pub(super) fn plan(
    random: &mut Random,
    zone: Tz,
    today: NaiveDate,
    patients: &[usize],
    clinicians: usize,
    visits: usize,
) -> Vec<Plan> {
    let hours = hours(zone, today);
    let slots = hours.len() * clinicians;
    let mut taken = HashSet::new();
    let mut plans = Vec::new();
    for &patient in patients {
        for _ in 0..random.between(1, 2) {
            // The first free one from a place chosen at random; nobody comes when all are taken.
            let from = below(random, slots);
            let Some(slot) = (0..slots).map(|step| (from + step) % slots).find(|slot| !taken.contains(slot))
            else {
                break;
            };
            taken.insert(slot);
            let Some(&hour) = hours.get(slot / clinicians) else { break };
            let fate = match random.below(100) {
                0..=7 => Fate::FallsThrough,
                8..=14 => Fate::CalledOff,
                chance => Fate::TakesPlace { confirmed: chance < 40 },
            };
            plans.push(Plan {
                patient,
                clinician: slot % clinicians,
                visit: below(random, visits),
                hour,
                fate,
            });
        }
    }
    plans
}

/// Every hour of the window at which somebody can come.
fn hours(zone: Tz, today: NaiveDate) -> Vec<DateTime<Utc>> {
    let first = today.checked_sub_days(Days::new(WINDOW.0)).unwrap_or(today);
    let days = usize::try_from(WINDOW.0 + WINDOW.1).unwrap_or(0);
    let working =
        first.iter_days().take(days).filter(|day| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun));
    let hour = |day: NaiveDate, hour| zone.from_local_datetime(&day.and_hms_opt(hour, 0, 0)?).earliest();
    working
        .flat_map(|day| HOURS.iter().filter_map(move |&at| hour(day, at)))
        .map(|at| at.with_timezone(&Utc))
        .collect()
}

fn below(random: &mut Random, bound: usize) -> usize {
    usize::try_from(random.below(u64::try_from(bound).unwrap_or(0))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plans(patients: usize) -> Vec<Plan> {
        let today = NaiveDate::from_ymd_opt(2026, 3, 30).unwrap();
        let patients: Vec<_> = (0..patients).collect();
        plan(&mut Random::new(1, "plan"), Tz::Europe__London, today, &patients, 6, 5)
    }

    #[test]
    fn nobody_is_in_two_places_and_nobody_is_seen_twice_in_an_hour() {
        let plans = plans(2_000);
        assert!(plans.len() > 2_500, "{}", plans.len());
        let hours: HashSet<_> = plans.iter().map(|plan| (plan.clinician, plan.hour)).collect();
        assert_eq!(hours.len(), plans.len());
        assert!(plans.iter().all(|plan| plan.clinician < 6 && plan.visit < 5));
    }

    #[test]
    fn visits_lie_within_the_hours_on_the_wall_clock_in_summer_and_winter() {
        let rules = weekly_hours(NaiveDate::from_ymd_opt(2026, 3, 30).unwrap());
        for plan in plans(200) {
            let local = plan.hour.with_timezone(&Tz::Europe__London);
            assert!(rules.iter().any(|rule| {
                u32::from(rule.weekday) == local.weekday().number_from_monday()
                    && (rule.starts_local..rule.ends_local).contains(&local.time())
                    && rule.valid_from <= local.date_naive()
            }));
        }
    }
}
