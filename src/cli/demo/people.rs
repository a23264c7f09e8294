//! Patients who do not exist: who they are, where they live, how they are reached.
//!
//! The same seed gives the same people. Their numbers come from ranges that are never given to
//! anybody: telephone numbers for use in drama, `example.org`, NHS numbers for tests, and social
//! security numbers that no office issues.

mod names;

use std::collections::HashSet;

use chrono::{Datelike, Days, NaiveDate};
use praxis_domain::patients::RegisterPatient;
use praxis_entity::{
    patient::AdministrativeSex,
    value::{
        Address, CodeableConcept, Coding, Contact, ContactPoint, ContactSystem, HumanName, Identifiers,
        Moment, PartialDate,
    },
};

use super::{
    clinics::{CLINICS, Clinic, Country},
    random::Random,
};

/// Somebody who does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub given: Vec<&'static str>,
    pub family: &'static str,
    pub sex: AdministrativeSex,
    pub born: NaiveDate,
    pub died: Option<NaiveDate>,
    pub mrn: String,
    pub national_id: String,
    pub phone: String,
    pub email: String,
    pub street: String,
    pub town: &'static str,
    pub state: Option<&'static str>,
    pub postal_code: String,
    language: (&'static str, &'static str),
    marital_status: (&'static str, &'static str),
}

/// The people of a clinic.
pub(super) fn people(seed: u64, clinic: &Clinic, count: usize) -> Vec<Person> {
    let mut random = Random::new(seed, clinic.slug);
    // Nobody shares a birthday, so nobody is taken for somebody else's duplicate.
    let mut birthdays = HashSet::new();
    (0..count)
        .map(|index| {
            let born = loop {
                let born = birthday(&mut random);
                if birthdays.insert(born) {
                    break born;
                }
            };
            person(&mut random, clinic, u64::try_from(index).unwrap_or(0), born, seed)
        })
        .collect()
}

/// Everything by which the seeded patients could be recognised, one text each: what must be found
/// nowhere in a dump, a log or the log of changes.
pub(super) fn canaries(seed: u64, count: usize) -> Vec<String> {
    let mut found = Vec::new();
    for clinic in &CLINICS {
        for person in people(seed, clinic, count) {
            found.push(format!("{} {}", person.given.join(" "), person.family));
            found.extend(person.given.iter().map(|given| (*given).to_owned()));
            found.extend([
                person.family.to_owned(),
                person.phone,
                person.email,
                person.born.to_string(),
                person.mrn,
                person.national_id,
                person.street,
            ]);
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

impl Person {
    /// What the front desk would enter.
    pub(super) fn registration(&self, country: Country) -> RegisterPatient {
        let point = |system, value: &str, usage: &str| ContactPoint {
            system,
            value: value.to_owned(),
            usage: Some(usage.to_owned()),
            preferred: true,
        };
        let name = HumanName {
            usage: Some("OFFICIAL".to_owned()),
            given: self.given.iter().map(|given| (*given).to_owned()).collect(),
            family: self.family.to_owned(),
            ..HumanName::default()
        };
        let address = Address {
            usage: Some("HOME".to_owned()),
            lines: vec![self.street.clone()],
            city: Some(self.town.to_owned()),
            state: self.state.map(str::to_owned),
            postal_code: Some(self.postal_code.clone()),
            country: Some(if country == Country::UnitedKingdom { "GB" } else { "US" }.to_owned()),
            ..Address::default()
        };
        let marital = concept("http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", self.marital_status);
        RegisterPatient {
            administrative_sex: self.sex,
            mrn: Some(self.mrn.clone()),
            contact: Contact {
                points: vec![
                    point(ContactSystem::Phone, &self.phone, "MOBILE"),
                    point(ContactSystem::Email, &self.email, "HOME"),
                ],
                addresses: vec![address],
            },
            identifiers: Identifiers { national_id: Some(self.national_id.clone()), others: Vec::new() },
            deceased: self.died.and_then(|day| {
                Some(Moment { at: day.and_hms_opt(0, 0, 0)?.and_utc(), text: day.to_string() })
            }),
            marital_status: Some(marital),
            languages: vec![concept("urn:ietf:bcp:47", self.language)],
            ..RegisterPatient::named(name, PartialDate::Day(self.born))
        }
    }
}

fn person(random: &mut Random, clinic: &Clinic, index: u64, born: NaiveDate, seed: u64) -> Person {
    let sex = match random.below(100) {
        0..=49 => AdministrativeSex::Female,
        50..=97 => AdministrativeSex::Male,
        98 => AdministrativeSex::Other,
        _ => AdministrativeSex::Unknown,
    };
    let first_names = match sex {
        AdministrativeSex::Female => names::FEMALE,
        AdministrativeSex::Male => names::MALE,
        _ if random.percent(50) => names::FEMALE,
        _ => names::MALE,
    };
    let mut given = vec![random.text(first_names)];
    if random.percent(30) {
        given.push(random.text(first_names));
        given.dedup();
    }
    let family = random.text(names::FAMILY);
    let old = born < day(1945);
    let died = (old && random.percent(25))
        .then(|| day(2024).checked_add_days(Days::new(random.below(500))))
        .flatten();
    let adult = born < day(2000);
    let marital_status = match random.below(10) {
        0..=4 if adult => ("M", "Married"),
        5 if adult => ("D", "Divorced"),
        6 if old => ("W", "Widowed"),
        _ => ("S", "Never Married"),
    };
    let home = match clinic.country {
        Country::UnitedKingdom => ("en-GB", "English (United Kingdom)"),
        Country::UnitedStates => ("en-US", "English (United States)"),
    };
    let language =
        if random.percent(85) { home } else { random.pick(names::LANGUAGES).copied().unwrap_or(home) };
    let (town, state, postal_code) = place(random, clinic.country);
    let ascii = |name: &str| names::ascii(name);
    let email = format!("{}.{}{}@example.org", ascii(given.first().unwrap_or(&"")), ascii(family), index + 1);
    // A stride without a common factor visits every number once.
    let record =
        (Random::new(seed, clinic.record_prefix).below(TEN_DIGITS) + index * 7_919_000_173) % TEN_DIGITS;
    let street = format!("{} {}", random.between(1, 240), random.text(names::STREETS));
    Person {
        given,
        family,
        sex,
        born,
        died,
        mrn: format!("{}-{record:010}", clinic.record_prefix),
        national_id: national_id(clinic.country, index),
        phone: phone(clinic.country, index),
        email,
        street,
        town,
        state,
        postal_code,
        language,
        marital_status,
    }
}

const TEN_DIGITS: u64 = 10_000_000_000;

fn day(year: i32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default()
}

/// The young are born on Sundays, when the clinics record nothing: a birth date found in the clear is
/// then no other date that happens to be the same.
fn birthday(random: &mut Random) -> NaiveDate {
    // More middle-aged and old people than children: they are who comes.
    let year = if random.percent(60) { random.between(1934, 1984) } else { random.between(1985, 2023) };
    let first = day(i32::try_from(year).unwrap_or(1970));
    let born = first + Days::new(random.below(365));
    let wait = if year < 2005 { 0 } else { 7 - born.weekday().num_days_from_sunday() };
    born + Days::new(u64::from(wait % 7))
}

fn place(random: &mut Random, country: Country) -> (&'static str, Option<&'static str>, String) {
    match country {
        Country::UnitedKingdom => {
            let (town, outward) = random.pick(names::BRITISH_TOWNS).copied().unwrap_or_default();
            // No postcode ends in C, I, K, M, O or V: these are nowhere.
            let code =
                format!("{outward} {}{}", random.between(1, 9), random.text(&["CK", "MV", "OK", "VC", "KM"]));
            (town, None, code)
        }
        Country::UnitedStates => {
            let (town, code) = random.pick(names::AMERICAN_TOWNS).copied().unwrap_or_default();
            (town, Some("MA"), code.to_owned())
        }
    }
}

/// Ofcom's numbers for drama, or the 555-01xx of North America.
fn phone(country: Country, index: u64) -> String {
    let (ranges, width) = match country {
        Country::UnitedKingdom => (names::BRITISH_RANGES, 3),
        Country::UnitedStates => (names::AMERICAN_RANGES, 2),
    };
    let size = 10_u64.pow(width);
    let range = usize::try_from(index / size).unwrap_or(0) % ranges.len();
    let prefix = ranges.get(range).copied().unwrap_or_default();
    format!("{prefix}{:0width$}", index % size, width = usize::try_from(width).unwrap_or(0))
}

fn national_id(country: Country, index: u64) -> String {
    match country {
        Country::UnitedKingdom => {
            // Even, so that one more changes the last digit alone.
            let body = ((index * 70_001 + 271_828) % 500_000) * 2;
            nhs_number(body).or_else(|| nhs_number(body + 1)).unwrap_or_default()
        }
        // No number begins with 9, and no taxpayer's with 9 has 10 to 49 in the middle.
        Country::UnitedStates => {
            let number = (index * 7_900_001 + 31_415_926) % 40_000_000;
            format!("9{:02}-{}-{:04}", number / 400_000, 10 + number / 10_000 % 40, number % 10_000)
        }
    }
}

/// An NHS number of the range for tests; every eleventh has no check digit and is skipped.
fn nhs_number(body: u64) -> Option<String> {
    let digits = format!("999{body:06}");
    nhs_check_digit(&digits).map(|check| format!("{digits}{check}"))
}

/// The check digit after nine digits: the weighted sum of all ten is a multiple of 11.
fn nhs_check_digit(digits: &str) -> Option<u32> {
    let weighted =
        digits.chars().zip((2..=10).rev()).filter_map(|(digit, weight)| Some(digit.to_digit(10)? * weight));
    let check = (11 - weighted.sum::<u32>() % 11) % 11;
    (check < 10).then_some(check)
}

fn concept(system: &str, (code, display): (&str, &str)) -> CodeableConcept {
    let coding = Coding {
        system: system.to_owned(),
        code: code.to_owned(),
        display: Some(display.to_owned()),
        version: None,
    };
    CodeableConcept { text: None, codings: vec![coding] }
}

#[cfg(test)]
mod tests;
