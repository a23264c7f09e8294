//! Parts of what a patient does not tolerate, takes, and of what was written about them.

use serde::Deserialize;

use super::{CodeableConcept, Period, Reference};

/// What happened at a contact.
#[derive(Debug, Deserialize)]
pub(in crate::fhir) struct Reaction {
    #[serde(default)]
    pub(in crate::fhir) manifestation: Vec<CodeableConcept>,
    pub(in crate::fhir) severity: Option<String>,
}

/// How much and how often: the words are taken over, the rest stays.
#[derive(Debug, Deserialize)]
pub(in crate::fhir) struct Dosage {
    pub(in crate::fhir) text: Option<String>,
}

/// A resource inside another, as far as it is looked at.
#[derive(Debug, Deserialize)]
pub(in crate::fhir) struct Contained {
    pub(in crate::fhir) id: Option<String>,
    pub(in crate::fhir) code: Option<CodeableConcept>,
}

/// Where and when what a document tells took place.
#[derive(Debug, Default, Deserialize)]
pub(in crate::fhir) struct DocumentContext {
    #[serde(default)]
    pub(in crate::fhir) encounter: Vec<Reference>,
    pub(in crate::fhir) period: Option<Period>,
}

/// One form of a document.
#[derive(Debug, Deserialize)]
pub(in crate::fhir) struct Content {
    pub(in crate::fhir) attachment: Attachment,
}

/// A document itself, or where it is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::fhir) struct Attachment {
    pub(in crate::fhir) content_type: Option<String>,
    pub(in crate::fhir) data: Option<String>,
    pub(in crate::fhir) title: Option<String>,
    pub(in crate::fhir) creation: Option<String>,
}
