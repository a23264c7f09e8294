//! Setting when a clinician sees patients at a branch.

use chrono::{NaiveDate, NaiveTime};
use praxis_entity::{
    availability_rule, facility,
    ids::{AvailabilityRuleId, FacilityId, PractitionerId},
    practitioner,
};
use praxis_platform::{Op, Write, access::Permission, audit::Entry};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::LockType};
use serde_json::{Value as Json, json};

use crate::{Result, Violation, ViolationCode, error::Violations};

/// Hours of one weekday, on the wall clock of the branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeeklyRule {
    /// ISO weekday, 1 is Monday.
    pub weekday: u8,
    /// First minute.
    pub starts_local: NaiveTime,
    /// End; not included.
    pub ends_local: NaiveTime,
    /// First day.
    pub valid_from: NaiveDate,
    /// Last day.
    pub valid_until: Option<NaiveDate>,
}

impl WeeklyRule {
    fn overlaps(&self, other: &Self) -> bool {
        let until = |rule: &Self| rule.valid_until.unwrap_or(NaiveDate::MAX);
        self.weekday == other.weekday
            && self.starts_local < other.ends_local
            && other.starts_local < self.ends_local
            && self.valid_from <= until(other)
            && other.valid_from <= until(self)
    }
}

/// Replaces the clinician's hours at the branch.
pub async fn set_availability(
    op: &Op<Write>,
    practitioner: PractitionerId,
    facility: FacilityId,
    rules: Vec<WeeklyRule>,
) -> Result<Vec<availability_rule::Model>> {
    op.actor().require_at(Permission::SCHEDULE_MANAGE, facility)?;
    check(&rules)?;
    let mut found = Violations::default();
    // Locked, so that two who set hours at once do not both add theirs.
    let known =
        practitioner::Entity::find_by_id(practitioner).lock(LockType::NoKeyUpdate).one(op.db()).await?;
    if !known.as_ref().is_some_and(|known| known.active) {
        found.add(ViolationCode::NotFound, &["practitionerId"], "There is no such practitioner.");
    }
    let branch = facility::Entity::find_by_id(facility).one(op.db()).await?.filter(|branch| branch.active);
    if branch.is_none() {
        found.add(ViolationCode::NotFound, &["facilityId"], "There is no such branch.");
    }
    found.check()?;
    let (Some(known), Some(branch)) = (known, branch) else {
        return Err(praxis_platform::Failure::NotFound.into());
    };

    let gone = availability_rule::Entity::delete_many()
        .filter(availability_rule::Column::PractitionerId.eq(practitioner))
        .filter(availability_rule::Column::FacilityId.eq(facility))
        .exec_with_returning(op.db())
        .await?;
    let rows = rules.into_iter().map(|rule| availability_rule::ActiveModel {
        id: Set(AvailabilityRuleId(op.new_id())),
        practitioner_id: Set(practitioner),
        facility_id: Set(facility),
        weekday: Set(i16::from(rule.weekday)),
        starts_local: Set(rule.starts_local),
        ends_local: Set(rule.ends_local),
        time_zone: Set(branch.time_zone.clone()),
        valid_from: Set(rule.valid_from),
        valid_until: Set(rule.valid_until),
        ..Default::default()
    });
    let stored = availability_rule::Entity::insert_many(rows).exec_with_returning(op.db()).await?;
    let entry = Entry::done("availability.set").on("Practitioner", practitioner.0, known.version);
    op.record(op.changed_here(entry, &said(&gone), &said(&stored)).await?);
    Ok(stored)
}

/// What the log says of hours.
fn said(rules: &[availability_rule::Model]) -> Vec<Json> {
    let mut rules: Vec<_> = rules.iter().collect();
    rules.sort_unstable_by_key(|rule| (rule.weekday, rule.starts_local, rule.valid_from));
    let said = rules.into_iter().map(|rule| {
        json!({ "facility": rule.facility_id, "weekday": rule.weekday, "from": rule.starts_local,
            "until": rule.ends_local, "validFrom": rule.valid_from, "validUntil": rule.valid_until })
    });
    said.collect()
}

fn check(rules: &[WeeklyRule]) -> Result<()> {
    if rules.len() > 100 {
        return Err(
            Violation::at(ViolationCode::TooLong, &["hours"], "There are more than 100 rules.").into()
        );
    }
    let mut found = Violations::default();
    for (index, rule) in rules.iter().enumerate() {
        let place = index.to_string();
        if !(1..=7).contains(&rule.weekday) {
            found.add(
                ViolationCode::OutOfRange,
                &["hours", &place, "weekday"],
                "A weekday is a number from 1, Monday, to 7.",
            );
        }
        if rule.ends_local <= rule.starts_local {
            found.add(
                ViolationCode::Invalid,
                &["hours", &place, "endsLocal"],
                "The end must be later than the start.",
            );
        }
        if rule.valid_until.is_some_and(|until| until < rule.valid_from) {
            found.add(
                ViolationCode::Invalid,
                &["hours", &place, "validUntil"],
                "The last day must not be before the first.",
            );
        }
        if rules.iter().take(index).any(|earlier| earlier.overlaps(rule)) {
            found.add(
                ViolationCode::Invalid,
                &["hours", &place],
                "This overlaps an earlier rule of the same weekday.",
            );
        }
    }
    found.check()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    fn rule(weekday: u8, from: u32, until: u32) -> WeeklyRule {
        WeeklyRule {
            weekday,
            starts_local: NaiveTime::from_hms_opt(from, 0, 0).unwrap(),
            ends_local: NaiveTime::from_hms_opt(until, 0, 0).unwrap(),
            valid_from: NaiveDate::from_ymd_opt(2026, 1, 1).unwrap(),
            valid_until: None,
        }
    }

    fn paths(rules: &[WeeklyRule]) -> Vec<String> {
        match check(rules) {
            Err(Error::Violated(all)) => all.into_iter().map(|one| one.path.join(".")).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn hours_may_touch_but_not_overlap() {
        assert!(paths(&[rule(1, 9, 12), rule(1, 12, 17), rule(2, 9, 17)]).is_empty());
        assert_eq!(paths(&[rule(1, 9, 12), rule(1, 11, 17)]), ["hours.1"]);
        let spring = WeeklyRule { valid_until: NaiveDate::from_ymd_opt(2026, 5, 31), ..rule(1, 9, 12) };
        let summer =
            WeeklyRule { valid_from: NaiveDate::from_ymd_opt(2026, 6, 1).unwrap(), ..rule(1, 8, 14) };
        assert!(paths(&[spring.clone(), summer]).is_empty());
        assert_eq!(paths(&[spring, rule(1, 8, 14)]), ["hours.1"]);
    }

    #[test]
    fn each_wrong_rule_is_named() {
        let backwards = WeeklyRule { valid_until: NaiveDate::from_ymd_opt(2025, 1, 1), ..rule(3, 9, 10) };
        assert_eq!(
            paths(&[rule(0, 9, 10), rule(8, 9, 10), rule(1, 10, 10), backwards]),
            ["hours.0.weekday", "hours.1.weekday", "hours.2.endsLocal", "hours.3.validUntil"]
        );
    }
}
