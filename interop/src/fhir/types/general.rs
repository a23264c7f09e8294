//! Codes, quantities, periods and references.

use serde::Deserialize;

use super::{Identifier, Number};

/// One code of one code system.
#[derive(Debug, Default, Deserialize)]
pub(in crate::fhir) struct Coding {
    pub(in crate::fhir) system: Option<String>,
    pub(in crate::fhir) version: Option<String>,
    pub(in crate::fhir) code: Option<String>,
    pub(in crate::fhir) display: Option<String>,
}

/// A concept as codes, text, or both.
#[derive(Debug, Default, Deserialize)]
pub(in crate::fhir) struct CodeableConcept {
    #[serde(default)]
    pub(in crate::fhir) coding: Vec<Coding>,
    pub(in crate::fhir) text: Option<String>,
}

/// A measured amount.
#[derive(Debug, Deserialize)]
pub(in crate::fhir) struct Quantity {
    pub(in crate::fhir) value: Option<Number>,
    pub(in crate::fhir) comparator: Option<String>,
    pub(in crate::fhir) unit: Option<String>,
    pub(in crate::fhir) system: Option<String>,
    pub(in crate::fhir) code: Option<String>,
}

/// A span of time, each end as written.
#[derive(Debug, Default, Deserialize)]
pub(in crate::fhir) struct Period {
    pub(in crate::fhir) start: Option<String>,
    pub(in crate::fhir) end: Option<String>,
}

/// A pointer to another resource, by its name or by one of its identifiers.
#[derive(Debug, Default, Deserialize)]
pub(in crate::fhir) struct Reference {
    pub(in crate::fhir) reference: Option<String>,
    pub(in crate::fhir) identifier: Option<Identifier>,
    pub(in crate::fhir) display: Option<String>,
}
