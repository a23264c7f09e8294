//! Names, numbers, ways to reach somebody.

use chrono::NaiveDate;
use praxis_entity::value::{self as stored, ContactSystem};

use super::value::concept;
use crate::fhir::{
    source::Loss,
    types::{Address, ContactPoint, HumanName, Identifier, Period},
};

/// A name; what is only a text becomes the family name.
pub(super) fn name(given: HumanName, loss: &mut Loss) -> stored::HumanName {
    let mut one = |parts: Vec<String>| {
        loss.note_if(parts.len() > 1);
        Some(parts.join(" ")).filter(|text| !text.is_empty())
    };
    let (prefix, suffix) = (one(given.prefix), one(given.suffix));
    loss.note_if(given.text.is_some());
    let nameless = given.family.is_none() && given.given.is_empty();
    stored::HumanName {
        usage: given.usage.map(|usage| usage.to_ascii_uppercase()),
        given: given.given,
        family: given.family.or(if nameless { given.text } else { None }).unwrap_or_default(),
        prefix,
        suffix,
    }
}

/// Ways to reach somebody. A telephone number that is not in its international form is rewritten
/// later, which counts as a loss.
pub(super) fn contact_points(many: Vec<ContactPoint>, loss: &mut Loss) -> Vec<stored::ContactPoint> {
    let mapped = many.into_iter().filter_map(|point| {
        loss.note_if(point.value.is_none() || point.rank.is_some_and(|rank| rank != 1));
        let value = point.value?;
        let system = match point.system.as_deref() {
            Some("phone") => ContactSystem::Phone,
            Some("email") => ContactSystem::Email,
            _ => ContactSystem::Other,
        };
        loss.note_if(
            system == ContactSystem::Other || system == ContactSystem::Phone && !is_international(&value),
        );
        let usage = point.usage.map(|usage| usage.to_ascii_uppercase());
        Some(stored::ContactPoint { system, value, usage, preferred: point.rank == Some(1) })
    });
    mapped.collect()
}

fn is_international(number: &str) -> bool {
    number.strip_prefix('+').is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

pub(super) fn address(given: Address) -> stored::Address {
    stored::Address {
        usage: given.usage.map(|usage| usage.to_ascii_uppercase()),
        lines: given.line,
        city: given.city,
        district: given.district,
        state: given.state,
        postal_code: given.postal_code,
        country: given.country,
    }
}

/// A number with its system; `None` when either is missing.
pub(super) fn identifier(given: Identifier, loss: &mut Loss) -> Option<stored::Identifier> {
    let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let (system, value) = (filled(given.system), filled(given.value));
    loss.note_if(system.is_none() || value.is_none());
    let Period { start, end } = given.period.unwrap_or_default();
    let mut day = |text: Option<String>| {
        let day = text.as_deref().and_then(|text| text.parse::<NaiveDate>().ok());
        loss.note_if(text.is_some() && day.is_none());
        day
    };
    let (valid_from, valid_until) = (day(start), day(end));
    let kind = given.kind.map(|kind| concept(kind, loss));
    Some(stored::Identifier { system: system?, value: value?, kind, valid_from, valid_until })
}

/// System and value of each number, as actors are known by.
pub(super) fn pairs(many: Vec<Identifier>, loss: &mut Loss) -> Vec<(String, String)> {
    let mapped = many.into_iter().filter_map(|given| {
        let identifier = identifier(given, loss)?;
        loss.note_if(
            identifier.kind.is_some() || identifier.valid_from.is_some() || identifier.valid_until.is_some(),
        );
        Some((identifier.system, identifier.value))
    });
    mapped.collect()
}

/// True when the database could not take the text.
pub(super) fn is_unprintable(text: &str) -> bool {
    text.chars().any(char::is_control) || text.len() > 500
}
