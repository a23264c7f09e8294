//! What a person's data must look like before it is kept, and the one form it is kept in.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};
use chrono_tz::Tz;
use phonenumber::country;
use praxis_entity::value::{
    Address, CodeableConcept, Contact, ContactPoint, ContactSystem, HumanName, Identifier, Identifiers, Moment,
    PartialDate,
};
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
            Some(day) if day > today => self.found.add(OutOfRange, path, "The birth date lies in the future."),
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
            self.found.add(Invalid, &["mrn"], "A record number has letters, digits, hyphens, dots and slashes.");
        }
    }

    /// E-mail as given, telephone in E.164.
    pub(super) fn contact_point(&mut self, path: &[&str], point: &mut ContactPoint) {
        self.text(path, &mut point.value, 254);
        match point.system {
            ContactSystem::Email if !self.imported && !is_email(&point.value) => {
                self.found.add(Invalid, path, "This is not an e-mail address.");
            }
            ContactSystem::Phone => match phone::e164(self.region, &point.value) {
                Some(number) => point.value = number,
                None if self.imported => {}
                None => self.found.add(Invalid, path, "This is not a telephone number. Give it with its country code, as in +442079460000."),
            },
            ContactSystem::Email | ContactSystem::Other => {}
        }
        if point.value.is_empty() && !self.imported {
            self.found.add(Required, path, "A contact point needs a value.");
        }
    }

    /// Contact points; the preferred one of a channel is at `email` or `phone` in the input.
    pub(super) fn contact_points(&mut self, points: &mut Vec<ContactPoint>) {
        self.not_too_many(&["contactPoints"], points);
        for (position, point) in points.iter_mut().enumerate() {
            let position = position.to_string();
            let path: &[&str] = match point.system {
                ContactSystem::Email if point.preferred => &["email"],
                ContactSystem::Phone if point.preferred => &["phone"],
                _ => &["contactPoints", &position, "value"],
            };
            self.contact_point(path, point);
        }
        points.retain(|point| !point.value.is_empty());
    }

    /// Postal addresses.
    pub(super) fn addresses(&mut self, addresses: &mut Vec<Address>) {
        self.not_too_many(&["addresses"], addresses);
        for (position, address) in addresses.iter_mut().enumerate() {
            let position = position.to_string();
            let path = ["addresses", position.as_str()];
            self.not_too_many(&path, &mut address.lines);
            for line in &mut address.lines {
                self.text(&path, line, TEXT_LENGTH);
            }
            for part in [
                &mut address.usage,
                &mut address.city,
                &mut address.district,
                &mut address.state,
                &mut address.postal_code,
                &mut address.country,
            ] {
                self.optional_text(&path, part, TEXT_LENGTH);
            }
        }
    }

    /// Contact points and addresses.
    pub(super) fn contact(&mut self, contact: &mut Contact) {
        self.contact_points(&mut contact.points);
        self.addresses(&mut contact.addresses);
    }

    /// A national number, which may be blank.
    pub(super) fn national_id(&mut self, number: &mut Option<String>) {
        self.optional_text(&["nationalId"], number, 100);
        if number.as_ref().is_some_and(|number| !number.chars().any(char::is_alphanumeric)) {
            self.found.add(Invalid, &["nationalId"], "A national number has letters or digits.");
        }
    }

    /// Other identifiers: each with its system.
    pub(super) fn identifiers(&mut self, identifiers: &mut Vec<Identifier>) {
        self.not_too_many(&["identifiers"], identifiers);
        for (position, identifier) in identifiers.iter_mut().enumerate() {
            let position = position.to_string();
            let path = ["identifiers", position.as_str()];
            self.text(&path, &mut identifier.system, TEXT_LENGTH);
            self.text(&path, &mut identifier.value, TEXT_LENGTH);
            if identifier.system.is_empty() || identifier.value.is_empty() {
                self.found.add(Required, &path, "An identifier needs its system and a value.");
            }
        }
    }

    /// National number and others.
    pub(super) fn all_identifiers(&mut self, identifiers: &mut Identifiers) {
        self.national_id(&mut identifiers.national_id);
        self.identifiers(&mut identifiers.others);
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
        PartialDate::Month(..) => date.earliest()?.checked_add_months(Months::new(1))?.checked_sub_days(Days::new(1)),
        PartialDate::Day(day) => Some(day),
    }
}

/// The shape of an address that mail could be sent to; whether it arrives only sending tells.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    (1..=64).contains(&local.len())
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && !local.chars().any(|c| c.is_whitespace() || "@<>()[]\\,;:\"".contains(c))
        && domain.contains('.')
        && domain.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Error, ViolationCode};

    fn rules(imported: bool) -> Rules {
        Rules {
            region: phone::region("en-US"),
            zone: chrono_tz::America::New_York,
            now: "2026-03-01T02:00:00Z".parse().unwrap(),
            imported,
            found: Violations::default(),
        }
    }

    fn codes(rules: Rules) -> Vec<(ViolationCode, String)> {
        match rules.found.check() {
            Err(Error::Violated(all)) => all.into_iter().map(|one| (one.code, one.path.join("."))).collect(),
            _ => Vec::new(),
        }
    }

    fn point(system: ContactSystem, value: &str) -> ContactPoint {
        ContactPoint { system, value: value.to_owned(), usage: None, preferred: true }
    }

    #[test]
    fn e_mail_addresses_are_told_by_their_shape() {
        for good in ["a@b.example", "first.last+tag@sub.example.org", "jürgen@müller.example", "o'brien@x.ie"] {
            assert!(is_email(good), "{good}");
        }
        for bad in ["", "a", "a@", "@b.example", "a@b", "a b@c.de", "a@@b.de", ".a@b.de", "a@-b.de", "a@b..de", "<a@b.de>"] {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn names_are_trimmed_bounded_and_needed() {
        let mut strict = rules(false);
        let mut name = HumanName { family: " Núñez\u{a0}".into(), given: vec![" Ana ".into(), "  ".into()], ..HumanName::default() };
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
    fn an_import_keeps_what_a_person_may_not_enter() {
        for (imported, wrong) in [(false, 2), (true, 0)] {
            let mut rules = rules(imported);
            let mut points = vec![point(ContactSystem::Phone, "555-123-4567"), point(ContactSystem::Email, "n/a"), point(ContactSystem::Phone, "202 555 0143")];
            rules.contact_points(&mut points);
            assert_eq!(points[0].value, "555-123-4567");
            assert_eq!(points[2].value, "+12025550143");
            assert_eq!(codes(rules).len(), wrong);
        }
    }

    #[test]
    fn a_record_number_has_a_letter_or_digit() {
        let of = |mrn: &str| {
            let mut rules = rules(false);
            rules.mrn(&mut mrn.to_owned());
            codes(rules).len()
        };
        assert_eq!([of("M0000012"), of("a-1/2.3"), of("--"), of("x;y"), of(&"1".repeat(65))], [0, 0, 1, 1, 1]);
    }
}
