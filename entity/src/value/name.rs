//! A person's name in parts.

use serde::{Deserialize, Serialize};

/// A structured name; the full form is computed, never stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HumanName {
    /// OFFICIAL, USUAL, MAIDEN, NICKNAME, OLD …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<String>,
    /// Given names, first name first.
    #[serde(default)]
    pub given: Vec<String>,
    /// Family name.
    pub family: String,
    /// Title before the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Title after the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suffix: Option<String>,
}

impl HumanName {
    /// The name ready to show: prefix, given names, family name, suffix.
    pub fn full(&self) -> String {
        self.prefix
            .iter()
            .chain(&self.given)
            .chain(std::iter::once(&self.family))
            .chain(&self.suffix)
            .filter(|part| !part.is_empty())
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(" ")
    }
}
