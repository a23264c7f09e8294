//! What was measured: the value, its parts and the range it is read against.

use serde::{Deserialize, Serialize};

use super::{CodeableConcept, Moment, Quantity};

/// The result of an observation, in one of the forms of FHIR's `value[x]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObservationValue {
    /// A number with a unit.
    Quantity(Quantity),
    /// A coded answer.
    Concept(CodeableConcept),
    /// Free text.
    Text(String),
    /// Yes or no.
    Boolean(bool),
    /// A count.
    Integer(i64),
    /// A point in time.
    Moment(Moment),
}

/// The range that a value was read against, kept with the result so that history does not change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceRange {
    /// Lower bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<Quantity>,
    /// Upper bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<Quantity>,
    /// The range in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// One part of a composed observation: systolic and diastolic of a blood pressure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// What was measured.
    pub code: CodeableConcept,
    /// The result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<ObservationValue>,
    /// Why there is no result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent_reason: Option<CodeableConcept>,
    /// High, low, normal …
    #[serde(default)]
    pub interpretations: Vec<CodeableConcept>,
    /// The ranges it is read against.
    #[serde(default)]
    pub reference_ranges: Vec<ReferenceRange>,
}
