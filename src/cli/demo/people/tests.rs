use praxis_platform::{
    template::{Source, Template},
    tenancy::SNAPSHOT,
};

use super::*;

#[test]
fn the_same_seed_gives_the_same_people() {
    let [northside, harbor] = &CLINICS;
    assert_eq!(people(1, northside, 40), people(1, northside, 40));
    assert_ne!(people(1, northside, 40), people(2, northside, 40));
    assert_ne!(
        people(1, northside, 1)[0].family.to_owned() + &people(1, northside, 1)[0].mrn,
        people(1, harbor, 1)[0].family.to_owned() + &people(1, harbor, 1)[0].mrn
    );
    assert_eq!(people(1, northside, 40), people(1, northside, 60)[..40]);
}

#[test]
fn nobody_shares_a_number_with_anybody() {
    for clinic in &CLINICS {
        let all = people(3, clinic, 2_000);
        for number in [
            |p: &Person| p.mrn.clone(),
            |p: &Person| p.phone.clone(),
            |p: &Person| p.email.clone(),
            |p: &Person| p.national_id.clone(),
            |p: &Person| p.born.to_string(),
        ] {
            assert_eq!(all.iter().map(number).collect::<HashSet<_>>().len(), all.len());
        }
        assert!(
            all.iter()
                .all(|person| person.email.is_ascii() && person.died.is_none_or(|died| died > person.born))
        );
    }
}

#[test]
fn numbers_are_of_ranges_that_nobody_has() {
    for index in 0..2_000 {
        let nhs = national_id(Country::UnitedKingdom, index);
        assert!(nhs.len() == 10 && nhs.starts_with("999"), "{nhs}");
        let ssn = national_id(Country::UnitedStates, index);
        let middle: u32 = ssn[4..6].parse().unwrap();
        assert!(ssn.len() == 11 && ssn.starts_with('9') && (10..50).contains(&middle), "{ssn}");
        assert_eq!(phone(Country::UnitedStates, index)[5..10], *"55501");
    }
    assert_eq!(phone(Country::UnitedKingdom, 7), "+447700900007");
    // 943 476 5919 is the example of the NHS data dictionary.
    assert_eq!(nhs_check_digit("943476591"), Some(9));
    assert_eq!(nhs_check_digit("999000000"), None);
}

#[test]
fn an_address_is_spelled_in_plain_letters() {
    assert_eq!(names::ascii("Müller-Voß"), "mullervoss");
    assert_eq!(names::ascii("O'Shaughnessy"), "oshaughnessy");
    assert_eq!(names::ascii("Łukasz"), "lukasz");
    assert_eq!(names::ascii("Nguyễn"), "nguyen");
}

/// Else a search for leaked names would find the public ones.
#[test]
fn no_name_is_part_of_a_public_text() {
    let mut public = SNAPSHOT.to_owned();
    for clinic in &CLINICS {
        let template = Template::load(&Source::shipped(), clinic.template).unwrap();
        public += &format!("{template:?} {clinic:?}");
    }
    let public = public.to_lowercase();
    for canary in canaries(1, 300) {
        assert!(canary.len() < 5 || !public.contains(&canary.to_lowercase()), "{canary}");
    }
}
