//! The names under which a resource is known to others: its id, its full URL, its identifiers.
//!
//! The first name is the one that is remembered (as a keyed token), so that importing twice adds
//! nothing. The others only serve the references of the same input.

use super::{
    source::Source,
    types::{Identifier, Reference},
};

/// Names of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names {
    /// The name to remember.
    pub(super) first: String,
    /// Every name, the first included.
    pub(super) all: Vec<String>,
    /// Where relative references of the resource start, if it came with an absolute URL.
    pub(super) base: Option<String>,
}

impl Names {
    /// The names of a resource; `None` when it has nothing to be known by.
    pub(super) fn of(source: &Source<'_>, full_url: Option<&str>) -> Option<Self> {
        let kind = source.kind.as_str();
        let by_id = source.id.as_deref().map(|id| local(kind, id));
        let url = full_url.map(unversioned).filter(|url| is_absolute(url));
        let by_url = url.map(|url| match url.strip_prefix("urn:uuid:") {
            Some(uuid) => local(kind, uuid),
            None if url.starts_with("urn:") => format!("{kind}/{url}"),
            None => url.to_owned(),
        });
        let identifiers: Vec<Identifier> = source.glance("identifier").unwrap_or_default();
        let by_identifier: Vec<String> =
            identifiers.iter().filter_map(|identifier| conditional(kind, identifier)).collect();
        let base = url.and_then(|url| url.strip_suffix(by_id.as_deref()?)).map(str::to_owned);
        let first = by_url.clone().or_else(|| by_id.clone()).or_else(|| by_identifier.first().cloned())?;
        let mut all: Vec<String> =
            by_url.into_iter().chain(url.map(str::to_owned)).chain(by_id).chain(by_identifier).collect();
        all.sort_unstable();
        all.dedup();
        Some(Self { first, all, base })
    }
}

/// The names that a reference to a resource of a kind may mean, the most exact first.
pub(super) fn meant(reference: &Reference, kind: &str, base: Option<&str>) -> Vec<String> {
    let Some(text) = reference.reference.as_deref() else {
        return reference
            .identifier
            .as_ref()
            .and_then(|identifier| conditional(kind, identifier))
            .into_iter()
            .collect();
    };
    let text = unversioned(text);
    if text.starts_with('#') {
        return Vec::new();
    }
    if let Some(uuid) = text.strip_prefix("urn:uuid:") {
        return vec![text.to_owned(), local(kind, uuid)];
    }
    if text.starts_with("urn:") {
        return vec![text.to_owned(), format!("{kind}/{text}")];
    }
    if let Some((kind, identifier)) = text.split_once("?identifier=") {
        return vec![format!("{kind}?identifier={}", identifier.replace("%7C", "|"))];
    }
    if is_absolute(text) {
        return vec![text.to_owned()];
    }
    let text = match text.split_once('/') {
        Some((kind, id)) => local(kind, id),
        None => text.to_owned(),
    };
    base.map(|base| format!("{base}{text}")).into_iter().chain([text.clone()]).collect()
}

/// The type that a name tells: of `Patient/1`, `http://a.example/fhir/Patient/1`, `Patient?identifier=…`.
pub(super) fn kind_of(name: &str) -> Option<&str> {
    if let Some((kind, _)) = name.split_once("?identifier=") {
        return Some(kind);
    }
    match name.split_once('/') {
        Some((kind, urn)) if urn.starts_with("urn:") => Some(kind),
        _ => name.rsplit('/').nth(1),
    }
}

/// System and value of a name such as `Practitioner?identifier=urn:x|1`.
pub(super) fn identifier_of(name: &str) -> Option<(&str, &str)> {
    name.split_once("?identifier=")?.1.split_once('|')
}

fn conditional(kind: &str, identifier: &Identifier) -> Option<String> {
    let (system, value) = (identifier.system.as_deref()?, identifier.value.as_deref()?);
    (!system.is_empty() && !value.is_empty()).then(|| format!("{kind}?identifier={system}|{value}"))
}

/// UUIDs are the same in capitals; other ids are not.
fn local(kind: &str, id: &str) -> String {
    match uuid::Uuid::try_parse(id) {
        Ok(uuid) => format!("{kind}/{uuid}"),
        Err(_) => format!("{kind}/{id}"),
    }
}

fn is_absolute(url: &str) -> bool {
    ["urn:", "http://", "https://"].iter().any(|scheme| url.starts_with(scheme))
}

fn unversioned(url: &str) -> &str {
    url.split_once("/_history/").map_or(url, |(url, _)| url)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4e8ed886-fd5f-40bb-8feb-f339b04d853a";

    fn names(text: &str, full_url: Option<&str>) -> Option<Names> {
        Names::of(&Source::parse(text).unwrap(), full_url)
    }

    fn reference(text: &str) -> Reference {
        Reference { reference: Some(text.to_owned()), identifier: None, display: None }
    }

    #[test]
    fn a_bundle_and_a_bulk_file_name_a_resource_alike() {
        let bundled =
            names(r#"{"resourceType":"Patient"}"#, Some(&format!("urn:uuid:{}", ID.to_uppercase()))).unwrap();
        let bulk = names(&format!(r#"{{"resourceType":"Patient","id":"{ID}"}}"#), None).unwrap();
        assert_eq!(bundled.first, bulk.first);
        assert_eq!(meant(&reference(&format!("urn:uuid:{ID}")), "Patient", None)[1], bulk.first);
        assert_eq!(meant(&reference(&format!("Patient/{ID}/_history/2")), "Patient", None), [bulk.first]);
    }

    #[test]
    fn the_same_id_on_two_servers_means_two_resources() {
        let of = |server: &str| {
            names(r#"{"resourceType":"Patient","id":"1"}"#, Some(&format!("{server}/Patient/1"))).unwrap()
        };
        let (one, other) = (of("https://a.example"), of("https://b.example/fhir"));
        assert_ne!(one.first, other.first);
        assert_eq!(meant(&reference("Patient/1"), "Patient", other.base.as_deref())[0], other.first);
        assert_eq!(kind_of(&other.first), Some("Patient"));
    }

    #[test]
    fn identifiers_are_names_too() {
        let text = r#"{"resourceType":"Practitioner","identifier":[{"system":"urn:npi","value":"12"}]}"#;
        let names = names(text, None).unwrap();
        let conditional = reference("Practitioner?identifier=urn:npi|12");
        assert_eq!(meant(&conditional, "Practitioner", None)[0], names.first);
        assert_eq!(identifier_of(&names.first), Some(("urn:npi", "12")));
        assert_eq!(kind_of(&names.first), Some("Practitioner"));
        assert_eq!(self::names(r#"{"resourceType":"Basic"}"#, None), None);
        assert_eq!(meant(&reference("#inside"), "Patient", None), Vec::<String>::new());
    }
}
