//! What was found and diagnosed at the visits of somebody who does not exist.

mod codes;
mod observations;

use chrono::{
    DateTime, Datelike, Days, FixedOffset, NaiveDate, SecondsFormat, TimeDelta, TimeZone, Utc, Weekday,
};
use chrono_tz::Tz;
use praxis_domain::{charting::RecordObservation, encounters::RecordEncounter, history::RecordCondition};
use praxis_entity::{
    condition::{ClinicalStatus, ConditionCategory, VerificationStatus},
    encounter::{EncounterClass, EncounterStatus},
    ids::{AppointmentId, EncounterId, FacilityId, PatientId, PractitionerId},
    patient::AdministrativeSex,
    value::{ConditionClinical, EncounterClinical, Moment},
};

use super::{people::Person, random::Random};
use codes::{ACUTE, CHRONIC, Disease, VISIT_TYPES};
pub(super) use observations::Body;

/// The health of a patient, as far as the visits are about it.
#[derive(Debug)]
pub(super) struct History {
    pub body: Body,
    chronic: Vec<(&'static Disease, NaiveDate)>,
}

/// A visit that took place.
#[derive(Debug, Clone)]
pub(super) struct PastVisit {
    pub appointment: Option<AppointmentId>,
    pub practitioner: PractitionerId,
    pub facility: FacilityId,
    pub class: EncounterClass,
    pub from: DateTime<Utc>,
    pub until: DateTime<Utc>,
}

impl History {
    /// The history of a person up to a day.
    pub(super) fn of(random: &mut Random, person: &Person, today: NaiveDate) -> Self {
        let age = today.years_since(person.born).unwrap_or(0);
        let mut chronic = Vec::new();
        for disease in CHRONIC {
            if age > disease.from_age && random.percent(disease.percent) {
                let years = i64::from((age - disease.from_age).min(15));
                let days = u64::try_from(random.between(90, years * 365 + 100)).unwrap_or(0);
                let since = today.checked_sub_days(Days::new(days)).filter(|since| *since > person.born);
                chronic.extend(since.map(|since| (disease, weekday(since))));
            }
        }
        let has = |code: &str| chronic.iter().any(|(disease, _): &(&Disease, _)| disease.icd10 == code);
        let body = Body::new(random, age, person.sex == AdministrativeSex::Male, has("I10"), has("E11.9"));
        Self { body, chronic }
    }

    /// Visits without an appointment on record, of the last three years.
    pub(super) fn earlier_visits(
        random: &mut Random,
        places: &[(PractitionerId, FacilityId)],
        hospital: bool,
        zone: Tz,
        last: NaiveDate,
    ) -> Vec<PastVisit> {
        let mut visits = Vec::new();
        for _ in 0..random.between(1, 3) {
            let days = u64::try_from(random.between(110, 1_095)).unwrap_or(0);
            let Some(day) = last.checked_sub_days(Days::new(days)).map(weekday) else { continue };
            let minutes = random.between(9 * 60, 17 * 60);
            let from = day.and_hms_opt(0, 0, 0).map(|midnight| midnight + TimeDelta::minutes(minutes));
            let Some(from) = from.and_then(|from| zone.from_local_datetime(&from).earliest()) else {
                continue;
            };
            let Some(&(practitioner, facility)) = random.pick(places) else { continue };
            let (class, length) = match random.below(100) {
                0..=11 if hospital => (EncounterClass::Inpatient, TimeDelta::hours(random.between(30, 140))),
                12..=24 if hospital => {
                    (EncounterClass::Emergency, TimeDelta::minutes(random.between(60, 400)))
                }
                25..=32 => (EncounterClass::Virtual, TimeDelta::minutes(random.between(8, 20))),
                _ => (EncounterClass::Ambulatory, TimeDelta::minutes(random.between(10, 45))),
            };
            let from = from.with_timezone(&Utc);
            let mut until = from + length;
            if until.weekday() == Weekday::Sun {
                until += TimeDelta::days(1);
            }
            visits.push(PastVisit { appointment: None, practitioner, facility, class, from, until });
        }
        visits
    }

    /// The problems on the list, each with its beginning.
    pub(super) fn problems(&self, patient: PatientId, recorder: PractitionerId) -> Vec<RecordCondition> {
        let problem = |(disease, since): &(&'static Disease, NaiveDate)| {
            let onset = since.and_hms_opt(0, 0, 0)?.and_utc();
            Some(RecordCondition {
                patient,
                encounter: None,
                recorder: Some(recorder),
                category: ConditionCategory::ProblemListItem,
                clinical_status: Some(ClinicalStatus::Active),
                verification_status: VerificationStatus::Confirmed,
                recorded_at: Some(onset),
                abated_at: None,
                clinical: ConditionClinical {
                    code: disease.concept(),
                    severity: None,
                    body_sites: Vec::new(),
                    // Patients know the month at best.
                    onset: Some(Moment {
                        at: onset,
                        text: format!("{:04}-{:02}", since.year(), since.month()),
                    }),
                    abatement: None,
                    recorded: None,
                    notes: Vec::new(),
                },
            })
        };
        self.chronic.iter().filter_map(problem).collect()
    }

    /// What is recorded of a visit, and the acute disease it was about, if any.
    pub(super) fn encounter(
        &self,
        random: &mut Random,
        patient: PatientId,
        visit: &PastVisit,
        zone: Tz,
    ) -> (RecordEncounter, Option<&'static Disease>) {
        let acute = if random.percent(35) { random.pick(ACUTE) } else { None };
        let reason = acute.or_else(|| random.pick(&self.chronic).map(|(disease, _)| *disease));
        let kind = match (visit.class, acute) {
            (EncounterClass::Emergency, _) => VISIT_TYPES.emergency,
            (EncounterClass::Inpatient, _) => VISIT_TYPES.admission,
            (EncounterClass::Virtual, _) => VISIT_TYPES.remote,
            (_, Some(_)) => VISIT_TYPES.symptom,
            (_, None) if reason.is_some() => VISIT_TYPES.follow_up,
            (_, None) => VISIT_TYPES.check_up,
        };
        let new = RecordEncounter {
            patient,
            practitioner: Some(visit.practitioner),
            facility: Some(visit.facility),
            organization: None,
            appointment: visit.appointment,
            class: visit.class,
            status: EncounterStatus::Closed,
            started_at: Some(visit.from),
            ended_at: Some(visit.until),
            clinical: EncounterClinical {
                types: vec![codes::snomed(kind)],
                reasons: reason.map(Disease::concept).into_iter().collect(),
                discharge_disposition: None,
                started: Some(written(visit.from, zone)),
                ended: Some(written(visit.until, zone)),
            },
            participants: vec![(visit.practitioner, "ATND".to_owned())],
        };
        (new, acute)
    }

    /// The diagnosis of a visit; it has passed since, if there was time for that.
    pub(super) fn diagnosis(
        patient: PatientId,
        encounter: EncounterId,
        visit: &PastVisit,
        disease: &Disease,
        now: DateTime<Utc>,
        zone: Tz,
    ) -> RecordCondition {
        let over = visit.from + TimeDelta::days(14);
        let passed = (over < now).then_some(over);
        RecordCondition {
            patient,
            encounter: Some(encounter),
            recorder: Some(visit.practitioner),
            category: ConditionCategory::EncounterDiagnosis,
            clinical_status: Some(if passed.is_some() {
                ClinicalStatus::Resolved
            } else {
                ClinicalStatus::Active
            }),
            verification_status: VerificationStatus::Confirmed,
            recorded_at: Some(visit.from),
            abated_at: passed,
            clinical: ConditionClinical {
                code: disease.concept(),
                severity: None,
                body_sites: Vec::new(),
                onset: Some(written(visit.from, zone)),
                abatement: passed.map(|at| written(at, zone)),
                recorded: Some(written(visit.from, zone)),
                notes: Vec::new(),
            },
        }
    }

    /// What was measured at a visit.
    pub(super) fn observations(
        &self,
        random: &mut Random,
        patient: PatientId,
        encounter: EncounterId,
        visit: &PastVisit,
        zone: Tz,
    ) -> Vec<RecordObservation> {
        // Nobody is measured over the phone.
        if visit.class == EncounterClass::Virtual {
            return Vec::new();
        }
        let at = visit.from + TimeDelta::minutes(4);
        self.body.observations(random, patient, encounter, visit.practitioner, at, written(at, zone))
    }
}

/// The day, or the Monday after its weekend: nothing is recorded on the days on which people are born.
fn weekday(day: NaiveDate) -> NaiveDate {
    match day.weekday() {
        Weekday::Sat => day + Days::new(2),
        Weekday::Sun => day + Days::new(1),
        _ => day,
    }
}

/// An instant as the clinic writes it.
fn written(at: DateTime<Utc>, zone: Tz) -> Moment {
    let local: DateTime<FixedOffset> = at.with_timezone(&zone).fixed_offset();
    Moment { at, text: local.to_rfc3339_opts(SecondsFormat::Secs, false) }
}

#[cfg(test)]
mod tests;
