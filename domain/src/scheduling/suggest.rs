//! Which of the free slots suit a patient best.
//!
//! Points are given for what speaks for a slot, and each reason is told, so that nobody has to trust a number: the
//! same clinician as before, a member of the care team, a branch the patient knows, a time they like, and how soon.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};
use chrono_tz::Tz;
use praxis_entity::{
    appointment::{self, AppointmentStatus},
    care_team_member, facility,
    ids::{FacilityId, PatientId, PractitionerId},
};
use praxis_platform::{
    Op,
    access::{Permission, Row, Table},
    literal::Literal,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::find::{FindSlots, Slot, all_slots};
use crate::{Result, rights};

/// How many earlier visits count.
const REMEMBERED: u64 = 20;
/// The most suggestions of one clinician on one day, so that there is something to choose from.
const A_DAY: usize = 2;

/// What a patient would like.
#[derive(Debug, Clone, Default)]
pub struct Preferences {
    /// On one of these days of the week.
    pub weekdays: Vec<Weekday>,
    /// Not before this, wall clock of the branch.
    pub from: Option<NaiveTime>,
    /// Over by then, wall clock of the branch.
    pub until: Option<NaiveTime>,
    /// At this branch.
    pub facility: Option<FacilityId>,
}

/// What speaks for a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SuggestionReason {
    /// The patient was with this clinician before.
    SamePractitioner,
    /// The clinician is in the patient's care team.
    CareTeam,
    /// It is on a day that the patient likes.
    PreferredDay,
    /// It is at a time that the patient likes.
    PreferredTime,
    /// It is at the branch that the patient likes, or where they were last.
    NearbyFacility,
    /// It is within a week of the earliest there is.
    Soon,
}

impl SuggestionReason {
    const fn points(self) -> u32 {
        match self {
            Self::SamePractitioner => 30,
            Self::CareTeam => 25,
            Self::PreferredTime => 20,
            Self::PreferredDay => 15,
            Self::NearbyFacility => 15,
            Self::Soon => 10,
        }
    }
}

/// A slot, and what speaks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The slot.
    pub slot: Slot,
    /// What speaks for it.
    pub reasons: Vec<SuggestionReason>,
    /// The sum of their points.
    pub score: u32,
}

/// What is known of a patient that speaks for some slots.
#[derive(Debug, Default)]
struct Known {
    seen: HashSet<PractitionerId>,
    care_team: HashSet<PractitionerId>,
    nearby: Option<FacilityId>,
    zones: HashMap<FacilityId, Tz>,
}

/// The slots that suit a patient best, best first; the earlier one where two are as good.
pub async fn suggest<M>(
    op: &Op<M>,
    patient: PatientId,
    search: FindSlots,
    wishes: &Preferences,
    most: usize,
) -> Result<Vec<Suggestion>> {
    let (book, seen) = (Permission::APPOINTMENT_BOOK, Permission::PATIENT_READ);
    rights::require(op, book, seen, patient, &Row::of(patient.0), "patientId").await?;
    let slots = all_slots(op, search).await?;
    let known = known(op, patient, wishes).await?;
    Ok(ranked(slots, &known, wishes, most))
}

async fn known<M>(op: &Op<M>, patient: PatientId, wishes: &Preferences) -> Result<Known> {
    let took_place =
        [AppointmentStatus::Completed, AppointmentStatus::InProgress, AppointmentStatus::CheckedIn];
    let visits = appointment::Entity::find()
        .filter(appointment::Column::PatientId.eq(patient))
        .filter(appointment::Column::Status.is_one_of(&took_place))
        // What somebody may not see must not show in what they are advised either.
        .filter(op.permitted(Permission::APPOINTMENT_READ, Table::Appointment))
        .order_by_desc(appointment::Column::StartsAt)
        .limit(REMEMBERED)
        .all(op.db())
        .await?;
    let now = op.now();
    let team = care_team_member::Entity::find()
        .filter(care_team_member::Column::PatientId.eq(patient))
        .filter(care_team_member::Column::StartsAt.lte(now))
        .filter(op.permitted(Permission::CARE_TEAM_READ, Table::CareTeamMember))
        .all(op.db())
        .await?;
    let current = team.into_iter().filter(|member| member.ends_at.is_none_or(|ends_at| ends_at > now));
    let branches = facility::Entity::find().all(op.db()).await?;
    let zone = |branch: &facility::Model| branch.time_zone.parse().ok().map(|zone| (branch.id, zone));
    Ok(Known {
        nearby: wishes.facility.or_else(|| visits.first().map(|visit| visit.facility_id)),
        seen: visits.into_iter().map(|visit| visit.practitioner_id).collect(),
        care_team: current.filter_map(|member| member.practitioner_id).collect(),
        zones: branches.iter().filter_map(zone).collect(),
    })
}

fn ranked(slots: Vec<Slot>, known: &Known, wishes: &Preferences, most: usize) -> Vec<Suggestion> {
    let Some(earliest) = slots.iter().map(|slot| slot.starts_at).min() else { return Vec::new() };
    let mut all: Vec<Suggestion> = slots
        .into_iter()
        .map(|slot| {
            let reasons = reasons(&slot, known, wishes, earliest);
            let score = reasons.iter().map(|reason| reason.points()).sum();
            Suggestion { slot, reasons, score }
        })
        .collect();
    all.sort_by_key(|one| {
        (std::cmp::Reverse(one.score), one.slot.starts_at, one.slot.practitioner, one.slot.facility)
    });
    let mut a_day: HashMap<(PractitionerId, NaiveDate), usize> = HashMap::new();
    all.retain(|one| {
        let day = wall(&one.slot, known, one.slot.starts_at).date();
        let count = a_day.entry((one.slot.practitioner, day)).or_default();
        *count += 1;
        *count <= A_DAY
    });
    all.truncate(most);
    all
}

fn reasons(
    slot: &Slot,
    known: &Known,
    wishes: &Preferences,
    earliest: DateTime<Utc>,
) -> Vec<SuggestionReason> {
    let (starts, ends) = (wall(slot, known, slot.starts_at), wall(slot, known, slot.ends_at));
    let timed = wishes.from.is_some() || wishes.until.is_some();
    let in_time = wishes.from.is_none_or(|from| starts.time() >= from)
        && wishes.until.is_none_or(|until| ends.date() == starts.date() && ends.time() <= until);
    let all = [
        (SuggestionReason::SamePractitioner, known.seen.contains(&slot.practitioner)),
        (SuggestionReason::CareTeam, known.care_team.contains(&slot.practitioner)),
        (SuggestionReason::PreferredDay, wishes.weekdays.contains(&starts.weekday())),
        (SuggestionReason::PreferredTime, timed && in_time),
        (SuggestionReason::NearbyFacility, known.nearby == Some(slot.facility)),
        (SuggestionReason::Soon, slot.starts_at - earliest < TimeDelta::days(7)),
    ];
    all.into_iter().filter(|(_, holds)| *holds).map(|(reason, _)| reason).collect()
}

fn wall(slot: &Slot, known: &Known, at: DateTime<Utc>) -> chrono::NaiveDateTime {
    let zone = known.zones.get(&slot.facility).copied().unwrap_or(chrono_tz::UTC);
    at.with_timezone(&zone).naive_local()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn slot(practitioner: u128, starts_at: &str) -> Slot {
        let starts_at: DateTime<Utc> = starts_at.parse().unwrap();
        Slot {
            starts_at,
            ends_at: starts_at + TimeDelta::minutes(30),
            practitioner: PractitionerId(Uuid::from_u128(practitioner)),
            facility: FacilityId(Uuid::nil()),
            room: None,
            devices: Vec::new(),
        }
    }

    #[test]
    fn who_knows_the_patient_comes_before_who_is_free_sooner() {
        let slots = vec![slot(1, "2027-03-01T09:00:00Z"), slot(2, "2027-03-04T09:00:00Z")];
        let known = Known { seen: HashSet::from([slots[1].practitioner]), ..Known::default() };
        let found = ranked(slots.clone(), &known, &Preferences::default(), 5);
        assert_eq!(found[0].slot, slots[1]);
        assert_eq!(found[0].reasons, [SuggestionReason::SamePractitioner, SuggestionReason::Soon]);
        assert_eq!(found[1].reasons, [SuggestionReason::Soon]);
    }

    #[test]
    fn times_are_those_of_the_branch() {
        let berlin = HashMap::from([(FacilityId(Uuid::nil()), Tz::Europe__Berlin)]);
        let known = Known { zones: berlin, ..Known::default() };
        let wishes = Preferences { from: NaiveTime::from_hms_opt(10, 0, 0), ..Preferences::default() };
        // 09:00 in UTC is 10:00 in winter and 11:00 in summer.
        let found = ranked(vec![slot(1, "2027-03-01T09:00:00Z")], &known, &wishes, 5);
        assert!(found[0].reasons.contains(&SuggestionReason::PreferredTime));
        let found = ranked(vec![slot(1, "2027-03-01T08:45:00Z")], &known, &wishes, 5);
        assert!(!found[0].reasons.contains(&SuggestionReason::PreferredTime));
    }

    proptest! {
        #[test]
        fn suggestions_are_some_of_the_slots_the_better_ones_first(
            given in prop::collection::vec((1u128..4, 0i64..20_000), 0..60), seen in 1u128..4, most in 0usize..9,
        ) {
            let start: DateTime<Utc> = "2027-03-01T00:00:00Z".parse().unwrap();
            let slots: Vec<Slot> = given.iter().map(|(who, minutes)| {
                slot(*who, &(start + TimeDelta::minutes(*minutes)).to_rfc3339())
            }).collect();
            let known = Known { seen: HashSet::from([PractitionerId(Uuid::from_u128(seen))]), ..Known::default() };
            let found = ranked(slots.clone(), &known, &Preferences::default(), most);
            prop_assert!(found.len() <= most.min(slots.len()));
            prop_assert!(found.iter().all(|one| slots.contains(&one.slot)));
            prop_assert!(found.is_sorted_by_key(|one| (std::cmp::Reverse(one.score), one.slot.starts_at)));
        }
    }
}
