//! Practitioner: a clinician, known by identifiers across all sources.

use praxis_domain::staff::RegisterPractitioner;

use super::person::{is_unprintable, name, pairs};
use crate::fhir::{
    name::Names,
    source::{Invalid, Source},
    types::{HumanName, Identifier},
};

/// Maps a practitioner. Nobody becomes bookable by being imported.
pub(in crate::fhir) fn practitioner(
    source: &mut Source<'_>,
    names: &Names,
) -> Result<RegisterPractitioner, Invalid> {
    let identifiers = identifiers(source, names)?;
    let name = source.element("name", |many: Vec<HumanName>, loss| {
        loss.note_if(many.len() > 1);
        let first = many.into_iter().next().map(|first| name(first, loss));
        loss.note_if(first.as_ref().is_some_and(|first| first.usage.is_some() || first.suffix.is_some()));
        Ok(first)
    })?;
    let name = name.flatten().ok_or_else(|| source.invalid("name", "is missing"))?;
    Ok(RegisterPractitioner {
        family: name.family,
        given: name.given,
        prefix: name.prefix,
        specialty: None,
        identifiers,
        bookable: false,
    })
}

/// The numbers an actor is known by; without any, its own URI is one.
pub(super) fn identifiers(source: &mut Source<'_>, names: &Names) -> Result<Vec<(String, String)>, Invalid> {
    let mut identifiers = source
        .element("identifier", |many: Vec<Identifier>, loss| Ok(pairs(many, loss)))?
        .unwrap_or_default();
    if identifiers.iter().any(|(system, value)| is_unprintable(system) || is_unprintable(value)) {
        return Err(source.invalid("identifier", "holds control characters or is too long"));
    }
    if identifiers.is_empty() {
        let uri = names.all.iter().find(|name| name.starts_with("urn:") || name.starts_with("http"));
        let uri = uri.ok_or_else(|| source.invalid("identifier", "is missing"))?;
        identifiers.push(("urn:ietf:rfc:3986".to_owned(), uri.clone()));
    }
    Ok(identifiers)
}
