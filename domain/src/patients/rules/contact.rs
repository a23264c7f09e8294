//! How a person is reached, and by which numbers the world knows them.

use praxis_entity::value::{Address, Contact, ContactPoint, ContactSystem, Identifier, Identifiers};

use super::{Rules, TEXT_LENGTH};
use crate::{
    ViolationCode::{Invalid, Required},
    patients::phone,
};

impl Rules {
    /// E-mail as given, telephone in E.164.
    pub(in crate::patients) fn contact_point(&mut self, path: &[&str], point: &mut ContactPoint) {
        self.text(path, &mut point.value, 254);
        match point.system {
            ContactSystem::Email if !self.imported && !is_email(&point.value) => {
                self.found.add(Invalid, path, "This is not an e-mail address.");
            }
            ContactSystem::Phone => match phone::e164(self.region, &point.value) {
                Some(number) => point.value = number,
                None if self.imported => {}
                None => self.found.add(
                    Invalid,
                    path,
                    "This is not a telephone number. Give it with its country code, as in +442079460000.",
                ),
            },
            ContactSystem::Email | ContactSystem::Other => {}
        }
        if point.value.is_empty() && !self.imported {
            self.found.add(Required, path, "A contact point needs a value.");
        }
    }

    /// Contact points; the preferred one of a channel is at `email` or `phone` in the input.
    pub(in crate::patients) fn contact_points(&mut self, points: &mut Vec<ContactPoint>) {
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
    pub(in crate::patients) fn addresses(&mut self, addresses: &mut Vec<Address>) {
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
    pub(in crate::patients) fn contact(&mut self, contact: &mut Contact) {
        self.contact_points(&mut contact.points);
        self.addresses(&mut contact.addresses);
    }

    /// A national number, which may be blank.
    pub(in crate::patients) fn national_id(&mut self, number: &mut Option<String>) {
        self.optional_text(&["nationalId"], number, 100);
        if number.as_ref().is_some_and(|number| !number.chars().any(char::is_alphanumeric)) {
            self.found.add(Invalid, &["nationalId"], "A national number has letters or digits.");
        }
    }

    /// Other identifiers: each with its system.
    pub(in crate::patients) fn identifiers(&mut self, identifiers: &mut Vec<Identifier>) {
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
    pub(in crate::patients) fn all_identifiers(&mut self, identifiers: &mut Identifiers) {
        self.national_id(&mut identifiers.national_id);
        self.identifiers(&mut identifiers.others);
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
    use super::{
        super::tests::{codes, rules},
        *,
    };

    fn point(system: ContactSystem, value: &str) -> ContactPoint {
        ContactPoint { system, value: value.to_owned(), usage: None, preferred: true }
    }

    #[test]
    fn e_mail_addresses_are_told_by_their_shape() {
        for good in ["a@b.example", "first.last+tag@sub.example.org", "jürgen@müller.example", "o'brien@x.ie"]
        {
            assert!(is_email(good), "{good}");
        }
        for bad in [
            "",
            "a",
            "a@",
            "@b.example",
            "a@b",
            "a b@c.de",
            "a@@b.de",
            ".a@b.de",
            "a@-b.de",
            "a@b..de",
            "<a@b.de>",
        ] {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn an_import_keeps_what_a_person_may_not_enter() {
        for (imported, wrong) in [(false, 2), (true, 0)] {
            let mut rules = rules(imported);
            let mut points = vec![
                point(ContactSystem::Phone, "555-123-4567"),
                point(ContactSystem::Email, "n/a"),
                point(ContactSystem::Phone, "202 555 0143"),
            ];
            rules.contact_points(&mut points);
            assert_eq!(points[0].value, "555-123-4567");
            assert_eq!(points[2].value, "+12025550143");
            assert_eq!(codes(rules).len(), wrong);
        }
    }
}
