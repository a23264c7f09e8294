//! Names, numbers and addresses of people and organisations.

use serde::Deserialize;

use super::{CodeableConcept, Coding, Period};

/// A number in a naming system.
#[derive(Debug, Default, Deserialize)]
pub(in crate::fhir) struct Identifier {
    #[serde(rename = "type")]
    pub(in crate::fhir) kind: Option<CodeableConcept>,
    pub(in crate::fhir) system: Option<String>,
    pub(in crate::fhir) value: Option<String>,
    pub(in crate::fhir) period: Option<Period>,
}

/// A name in parts.
#[derive(Debug, Default, Deserialize)]
pub(in crate::fhir) struct HumanName {
    #[serde(rename = "use")]
    pub(in crate::fhir) usage: Option<String>,
    pub(in crate::fhir) text: Option<String>,
    pub(in crate::fhir) family: Option<String>,
    #[serde(default)]
    pub(in crate::fhir) given: Vec<String>,
    #[serde(default)]
    pub(in crate::fhir) prefix: Vec<String>,
    #[serde(default)]
    pub(in crate::fhir) suffix: Vec<String>,
}

/// A way to reach somebody.
#[derive(Debug, Deserialize)]
pub(in crate::fhir) struct ContactPoint {
    pub(in crate::fhir) system: Option<String>,
    pub(in crate::fhir) value: Option<String>,
    #[serde(rename = "use")]
    pub(in crate::fhir) usage: Option<String>,
    pub(in crate::fhir) rank: Option<u32>,
}

/// A postal address.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::fhir) struct Address {
    #[serde(rename = "use")]
    pub(in crate::fhir) usage: Option<String>,
    #[serde(default)]
    pub(in crate::fhir) line: Vec<String>,
    pub(in crate::fhir) city: Option<String>,
    pub(in crate::fhir) district: Option<String>,
    pub(in crate::fhir) state: Option<String>,
    pub(in crate::fhir) postal_code: Option<String>,
    pub(in crate::fhir) country: Option<String>,
}

/// A language somebody speaks.
#[derive(Debug, Deserialize)]
pub(in crate::fhir) struct Communication {
    pub(in crate::fhir) language: CodeableConcept,
    pub(in crate::fhir) preferred: Option<bool>,
}

/// An extension, with the kinds of value that are looked at.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::fhir) struct Extension {
    pub(in crate::fhir) url: String,
    #[serde(default)]
    pub(in crate::fhir) extension: Vec<Extension>,
    pub(in crate::fhir) value_coding: Option<Coding>,
    pub(in crate::fhir) value_string: Option<String>,
    pub(in crate::fhir) value_code: Option<String>,
}
