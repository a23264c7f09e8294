use praxis_entity::value::{ObservationValue, Quantity};
use uuid::Uuid;

use super::{
    super::{clinics::CLINICS, people::people},
    *,
};

fn visits() -> Vec<(Person, History, PastVisit, Random)> {
    let today = NaiveDate::from_ymd_opt(2026, 3, 30).unwrap();
    let place = (PractitionerId(Uuid::from_u128(1)), FacilityId(Uuid::from_u128(2)));
    let mut all = Vec::new();
    for person in people(5, &CLINICS[1], 200) {
        let mut random = Random::new(5, &person.mrn);
        let history = History::of(&mut random, &person, today);
        let visit =
            History::earlier_visits(&mut random, &[place], true, Tz::America__New_York, today).remove(0);
        all.push((person, history, visit, random));
    }
    all
}

#[test]
fn no_measurement_is_out_of_this_world() {
    let plausible = |code: &str| match code {
        "8480-6" => 70..=190,
        "8462-4" => 38..=125,
        "8867-4" => 50..=120,
        "8310-5" => 35..=38,
        "59408-5" => 94..=100,
        "8302-2" => 45..=200,
        "29463-7" => 3..=145,
        "39156-5" => 10..=40,
        _ => 0..=300,
    };
    let mut seen = 0;
    for (_, history, visit, mut random) in visits() {
        let (patient, encounter) = (PatientId(Uuid::from_u128(3)), EncounterId(Uuid::from_u128(4)));
        for new in history.observations(&mut random, patient, encounter, &visit, Tz::America__New_York) {
            let result = new.result;
            let parts = result.components.iter().map(|part| (&part.code, &part.value));
            for (code, value) in parts.chain([(&result.code, &result.value)]) {
                if let Some(ObservationValue::Quantity(Quantity { value, .. })) = value {
                    let whole: i64 = value.trunc().try_into().unwrap();
                    let code = &code.codings[0].code;
                    assert!(plausible(code).contains(&whole), "{code} {value}");
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 1_000, "{seen}");
}

#[test]
fn nothing_happens_before_birth_or_on_a_sunday_or_ends_before_it_begins() {
    let patient = PatientId(Uuid::from_u128(3));
    for (person, history, visit, _) in visits() {
        assert!(visit.from < visit.until);
        assert!([visit.from, visit.until].iter().all(|at| at.weekday() != Weekday::Sun));
        for problem in history.problems(patient, visit.practitioner) {
            let onset = problem.clinical.onset.unwrap().at;
            assert_ne!(onset.weekday(), Weekday::Sun);
            assert!(onset.date_naive() > person.born);
        }
    }
}

#[test]
fn the_written_time_carries_the_clinics_offset() {
    let at = "2026-07-01T12:30:00Z".parse().unwrap();
    assert_eq!(written(at, Tz::America__New_York).text, "2026-07-01T08:30:00-04:00");
    assert_eq!(written(at, Tz::Europe__London).text, "2026-07-01T13:30:00+01:00");
}
