//! What a person's data must look like before it is kept, and the one form it is kept in.

mod contact;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};
use chrono_tz::Tz;
use phonenumber::country;
use praxis_entity::value::{CodeableConcept, HumanName, Moment, PartialDate};
use praxis_platform::Op;

use super::phone;
use crate::{
    ViolationCode::{Invalid, OutOfRange, Required, TooLong},
    error::Violations,
};

const EARLIEST_BIRTH: i32 = 1850;
const NAME_LENGTH: usize = 200;
const TEXT_LENGTH: usize = 500;
/// Names, contact points, addresses or identifiers of one person.
const MANY: usize = 50;

/// Checks and normalises, and collects everything that is wrong.
pub(super) struct Rules {
    region: Option<country::Id>,
    zone: Tz,
    now: DateTime<Utc>,
    imported: bool,
    pub(super) found: Violations,
}

impl Rules {
    /// For what a person enters.
    pub(super) fn entered<M>(op: &Op<M>) -> Self {
        let tenant = op.tenant();
        Self {
            region: phone::region(&tenant.locale),
            zone: tenant.time_zone.parse().unwrap_or(Tz::UTC),
            now: op.now(),
            imported: false,
            found: Violations::default(),
        }
    }

    /// For what another system sent: contact points that make no sense are kept as they came.
    pub(super) fn imported<M>(op: &Op<M>) -> Self {
        Self { imported: true, ..Self::entered(op) }
    }

    /// Trims a text; refuses control characters and too long ones.
    pub(super) fn text(&mut self, path: &[&str], text: &mut String, longest: usize) {
        if text.trim().len() != text.len() {
            *text = text.trim().to_owned();
        }
        if text.chars().any(char::is_control) {
            self.found.add(Invalid, path, "The text holds control characters.");
        }
        if text.chars().count() > longest {
            self.found.add(TooLong, path, format!("The text is longer than {longest} characters."));
        }
    }

    fn optional_text(&mut self, path: &[&str], text: &mut Option<String>, longest: usize) {
        if let Some(given) = text {
            self.text(path, given, longest);
        }
        text.take_if(|given| given.is_empty());
    }

    fn not_too_many<T>(&mut self, path: &[&str], list: &mut Vec<T>) {
        if list.len() > MANY {
            self.found.add(TooLong, path, format!("There are more than {MANY} entries."));
            list.truncate(MANY);
        }
    }

    /// A name: something of it must be given.
    pub(super) fn name(&mut self, path: &[&str], name: &mut HumanName) {
        let at = |part| [path, &[part]].concat();
        self.text(&at("family"), &mut name.family, NAME_LENGTH);
        self.optional_text(&at("prefix"), &mut name.prefix, NAME_LENGTH);
        self.optional_text(&at("suffix"), &mut name.suffix, NAME_LENGTH);
        self.not_too_many(&at("given"), &mut name.given);
        for given in &mut name.given {
            self.text(&at("given"), given, NAME_LENGTH);
        }
        name.given.retain(|given| !given.is_empty());
        if name.family.is_empty() && name.given.is_empty() {
            self.found.add(Required, &at("family"), "A name is needed.");
        }
    }

    /// All names of a person.
    pub(super) fn names(&mut self, names: &mut Vec<HumanName>) {
        self.not_too_many(&["name"], names);
        if names.is_empty() {
            self.found.add(Required, &["name"], "A name is needed.");
        }
        for name in names {
            self.name(&["name"], name);
        }
    }

    /// A birth date: not in the future, and of somebody who may be alive.
    pub(super) fn birth_date(&mut self, path: &[&str], date: PartialDate) {
        let today = self.now.with_timezone(&self.zone).date_naive();
        match date.earliest() {
            None => self.found.add(Invalid, path, "There is no such date."),
            Some(day) if day > today => {
                self.found.add(OutOfRange, path, "The birth date lies in the future.")
            }
            Some(day) if day.year() < EARLIEST_BIRTH => {
                self.found.add(OutOfRange, path, format!("The birth date lies before {EARLIEST_BIRTH}."));
            }
            Some(_) => {}
        }
    }

    /// A time of death: not in the future, not before birth.
    pub(super) fn death(&mut self, path: &[&str], died: &Moment, born: PartialDate) {
        let day = match died.text.parse::<PartialDate>() {
            Ok(date) => latest(date),
            Err(_) => Some(died.at.with_timezone(&self.zone).date_naive()),
        };
        if died.at > self.now {
            self.found.add(OutOfRange, path, "The time of death lies in the future.");
        } else if day.zip(born.earliest()).is_some_and(|(died, born)| died < born) {
            self.found.add(OutOfRange, path, "The time of death lies before birth.");
        }
    }

    /// A record number that somebody gave.
    pub(super) fn mrn(&mut self, mrn: &mut String) {
        self.text(&["mrn"], mrn, 64);
        let shaped = mrn.chars().all(|c| c.is_ascii_alphanumeric() || "-./ ".contains(c));
        if !shaped || !mrn.chars().any(|c| c.is_ascii_alphanumeric()) {
            self.found.add(
                Invalid,
                &["mrn"],
                "A record number has letters, digits, hyphens, dots and slashes.",
            );
        }
    }

    /// A concept: text or a code.
    pub(super) fn concept(&mut self, path: &[&str], concept: &mut CodeableConcept) {
        self.optional_text(path, &mut concept.text, TEXT_LENGTH);
        self.not_too_many(path, &mut concept.codings);
        for coding in &mut concept.codings {
            self.text(path, &mut coding.system, TEXT_LENGTH);
            self.text(path, &mut coding.code, TEXT_LENGTH);
            self.optional_text(path, &mut coding.display, TEXT_LENGTH);
        }
        if concept.label().is_none_or(str::is_empty) {
            self.found.add(Required, path, "A text or a code is needed.");
        }
    }
}

/// The last day that a date may mean.
fn latest(date: PartialDate) -> Option<NaiveDate> {
    match date {
        PartialDate::Year(year) => NaiveDate::from_ymd_opt(year, 12, 31),
        PartialDate::Month(..) => {
            date.earliest()?.checked_add_months(Months::new(1))?.checked_sub_days(Days::new(1))
        }
        PartialDate::Day(day) => Some(day),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{Error, ViolationCode};

    pub(super) fn rules(imported: bool) -> Rules {
        Rules {
            region: phone::region("en-US"),
            zone: chrono_tz::America::New_York,
            now: "2026-03-01T02:00:00Z".parse().unwrap(),
            imported,
            found: Violations::default(),
        }
    }

    pub(super) fn codes(rules: Rules) -> Vec<(ViolationCode, String)> {
        match rules.found.check() {
            Err(Error::Violated(all)) => all.into_iter().map(|one| (one.code, one.path.join("."))).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn names_are_trimmed_bounded_and_needed() {
        let mut strict = rules(false);
        let mut name = HumanName {
            family: " Núñez\u{a0}".into(),
            given: vec![" Ana ".into(), "  ".into()],
            ..HumanName::default()
        };
        strict.name(&["name"], &mut name);
        assert_eq!((name.family.as_str(), name.given), ("Núñez", vec!["Ana".to_owned()]));
        strict.name(&["name"], &mut HumanName { family: "x".repeat(201), ..HumanName::default() });
        strict.name(&["name"], &mut HumanName { family: "a\u{0}b".into(), ..HumanName::default() });
        strict.name(&["name"], &mut HumanName::default());
        let at = "name.family".to_owned();
        assert_eq!(codes(strict), [(TooLong, at.clone()), (Invalid, at.clone()), (Required, at)]);
    }

    #[test]
    fn a_birth_date_is_neither_in_the_future_nor_in_another_age() {
        let of = |text: &str| {
            let mut rules = rules(false);
            rules.birth_date(&["birthDate"], text.parse().unwrap());
            codes(rules).len()
        };
        // It is still 28 February in New York.
        assert_eq!([of("2026-02-28"), of("2026-03-01"), of("2026"), of("2027")], [0, 1, 0, 1]);
        assert_eq!([of("1850"), of("1849-12-31")], [0, 1]);
    }

    #[test]
    fn death_is_not_before_birth_as_far_as_is_known() {
        let of = |text: &str, at: &str, born: &str| {
            let mut rules = rules(false);
            let died = Moment { at: at.parse().unwrap(), text: text.to_owned() };
            rules.death(&["deceased"], &died, born.parse().unwrap());
            codes(rules).len()
        };
        assert_eq!(of("2019", "2019-01-01T00:00:00Z", "2019-03-05"), 0);
        assert_eq!(of("2019-02", "2019-02-01T00:00:00Z", "2019-03-05"), 1);
        assert_eq!(of("2019-03-05T01:00:00Z", "2019-03-05T01:00:00Z", "2019-03-05"), 1);
        assert_eq!(of("2026-03-01T02:00:01Z", "2026-03-01T02:00:01Z", "1950"), 1);
    }

    #[test]
    fn a_record_number_has_a_letter_or_digit() {
        let of = |mrn: &str| {
            let mut rules = rules(false);
            rules.mrn(&mut mrn.to_owned());
            codes(rules).len()
        };
        assert_eq!(
            [of("M0000012"), of("a-1/2.3"), of("--"), of("x;y"), of(&"1".repeat(65))],
            [0, 0, 1, 1, 1]
        );
    }
}
