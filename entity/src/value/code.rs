//! Coded values and quantities, exactly as they were recorded.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// One code of one code system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coding {
    /// URI of the code system, for example `http://loinc.org`.
    pub system: String,
    /// The code itself.
    pub code: String,
    /// The display text as recorded, never looked up later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<String>,
    /// Version of the code system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

impl Coding {
    /// `system|code`, the form that is searched for.
    pub fn search_form(&self) -> String {
        format!("{}|{}", self.system, self.code)
    }
}

/// A concept as text, codes, or both. The original code is never dropped for a mapped one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeableConcept {
    /// The text the author saw or wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The codes, in the order given.
    #[serde(default)]
    pub codings: Vec<Coding>,
}

impl CodeableConcept {
    /// What a person reads: the text, else the first display, else the first code.
    pub fn label(&self) -> Option<&str> {
        self.text
            .as_deref()
            .or_else(|| self.codings.first().map(|coding| coding.display.as_deref().unwrap_or(&coding.code)))
    }
}

/// A measured amount: an exact decimal with a UCUM unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quantity {
    /// Exact, trailing zeros kept: 72.50 is not 72.5.
    pub value: Decimal,
    /// `<`, `<=`, `>=`, `>` or `ad` where the value is a bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparator: Option<String>,
    /// Unit as shown.
    pub unit: String,
    /// UCUM code of the unit; empty where the source gave none.
    #[serde(default)]
    pub code: String,
}
