//! Results, their parts and ranges; who took part in a visit and how it ended.

use serde::Deserialize;

use super::{CodeableConcept, Period, Quantity, Reference};

/// The forms of `value[x]`; at most one is given.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::fhir) struct Values {
    pub(in crate::fhir) value_quantity: Option<Quantity>,
    pub(in crate::fhir) value_codeable_concept: Option<CodeableConcept>,
    pub(in crate::fhir) value_string: Option<String>,
    pub(in crate::fhir) value_boolean: Option<bool>,
    pub(in crate::fhir) value_integer: Option<i64>,
    pub(in crate::fhir) value_date_time: Option<String>,
    pub(in crate::fhir) value_time: Option<String>,
    pub(in crate::fhir) value_period: Option<Period>,
    pub(in crate::fhir) value_range: Option<Ranges>,
    pub(in crate::fhir) value_ratio: Option<Ratio>,
}

/// A span of amounts.
#[derive(Debug, Deserialize)]
pub(in crate::fhir) struct Ranges {
    pub(in crate::fhir) low: Option<Quantity>,
    pub(in crate::fhir) high: Option<Quantity>,
}

/// Two amounts in proportion, as in a titre of 1:128.
#[derive(Debug, Deserialize)]
pub(in crate::fhir) struct Ratio {
    pub(in crate::fhir) numerator: Option<Quantity>,
    pub(in crate::fhir) denominator: Option<Quantity>,
}

/// The range that a value is read against.
#[derive(Debug, Deserialize)]
pub(in crate::fhir) struct ReferenceRange {
    pub(in crate::fhir) low: Option<Quantity>,
    pub(in crate::fhir) high: Option<Quantity>,
    pub(in crate::fhir) text: Option<String>,
}

/// One part of a composed observation. Its forms of value are those of [`Values`], written out
/// because flattening would take the text of numbers away.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::fhir) struct Component {
    pub(in crate::fhir) code: CodeableConcept,
    pub(in crate::fhir) value_quantity: Option<Quantity>,
    pub(in crate::fhir) value_codeable_concept: Option<CodeableConcept>,
    pub(in crate::fhir) value_string: Option<String>,
    pub(in crate::fhir) value_boolean: Option<bool>,
    pub(in crate::fhir) value_integer: Option<i64>,
    pub(in crate::fhir) value_date_time: Option<String>,
    pub(in crate::fhir) value_time: Option<String>,
    pub(in crate::fhir) value_period: Option<Period>,
    pub(in crate::fhir) value_range: Option<Ranges>,
    pub(in crate::fhir) value_ratio: Option<Ratio>,
    pub(in crate::fhir) data_absent_reason: Option<CodeableConcept>,
    #[serde(default)]
    pub(in crate::fhir) interpretation: Vec<CodeableConcept>,
    #[serde(default)]
    pub(in crate::fhir) reference_range: Vec<ReferenceRange>,
}

/// A remark.
#[derive(Debug, Deserialize)]
pub(in crate::fhir) struct Annotation {
    pub(in crate::fhir) text: String,
}

/// Who took part in a visit.
#[derive(Debug, Deserialize)]
pub(in crate::fhir) struct Participant {
    #[serde(rename = "type", default)]
    pub(in crate::fhir) kind: Vec<CodeableConcept>,
    pub(in crate::fhir) individual: Option<Reference>,
}

/// What an admission led to.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::fhir) struct Hospitalization {
    pub(in crate::fhir) discharge_disposition: Option<CodeableConcept>,
}
