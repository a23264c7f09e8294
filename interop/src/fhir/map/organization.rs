//! Organization: another organisation, known by identifiers across all sources.

use praxis_domain::clinic::UpsertOrganization;

use super::practitioner::identifiers;
use crate::fhir::{
    name::Names,
    source::{Invalid, Source},
    types::{Address, CodeableConcept, ContactPoint},
};

/// Maps an organisation. Kind, telephone and address are simplified, so their elements stay.
pub(in crate::fhir) fn organization(
    source: &mut Source<'_>,
    names: &Names,
) -> Result<UpsertOrganization, Invalid> {
    let identifiers = identifiers(source, names)?;
    let name = source.element("name", |name: String, _| Ok(name))?;
    let kinds: Vec<CodeableConcept> = glance(source, "type")?;
    let telecom: Vec<ContactPoint> = glance(source, "telecom")?;
    let addresses: Vec<Address> = glance(source, "address")?;
    let kind = kinds.into_iter().next().and_then(|kind| {
        kind.text.or_else(|| kind.coding.into_iter().find_map(|coding| coding.display.or(coding.code)))
    });
    let phone = telecom.into_iter().find(|point| point.system.as_deref() == Some("phone"));
    Ok(UpsertOrganization {
        identifiers,
        name: name.ok_or_else(|| source.invalid("name", "is missing"))?,
        kind,
        phone: phone.and_then(|phone| phone.value),
        address_lines: addresses.into_iter().next().map(lines).unwrap_or_default(),
    })
}

fn glance<T: serde::de::DeserializeOwned>(source: &mut Source<'_>, key: &str) -> Result<Vec<T>, Invalid> {
    let found = source.element(key, |many: Vec<T>, loss| {
        loss.note();
        Ok(many)
    })?;
    Ok(found.unwrap_or_default())
}

/// An address as it stands on an envelope.
fn lines(address: Address) -> Vec<String> {
    let region: Vec<String> = address.state.into_iter().chain(address.postal_code).collect();
    let town: Vec<String> =
        address.city.into_iter().chain([region.join(" ")]).filter(|part| !part.is_empty()).collect();
    address
        .line
        .into_iter()
        .chain([town.join(", ")])
        .chain(address.country)
        .filter(|line| !line.is_empty())
        .collect()
}
