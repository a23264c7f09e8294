//! How a person is reached and which numbers the world knows them by.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::CodeableConcept;

/// The channel of a contact point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ContactSystem {
    /// A telephone number.
    Phone,
    /// An e-mail address.
    Email,
    /// Anything else, kept as given.
    Other,
}

/// One way to reach a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactPoint {
    /// The channel.
    pub system: ContactSystem,
    /// Address or number: e-mail as given, phone in E.164 where it parses.
    pub value: String,
    /// HOME, WORK, MOBILE, OLD or TEMP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<String>,
    /// The one to use first among its channel.
    #[serde(default)]
    pub preferred: bool,
}

/// A postal address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// HOME, WORK, BILLING, OLD or TEMP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<String>,
    /// Street lines.
    #[serde(default)]
    pub lines: Vec<String>,
    /// Town or city.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// District or county.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub district: Option<String>,
    /// State or province.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// Country, ISO 3166 where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// A number some authority gave the person: national number, passport, licence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identifier {
    /// URI of the naming system.
    pub system: String,
    /// The number.
    pub value: String,
    /// HL7 v2-0203 type: MR, SS, DL, PPN, NI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<CodeableConcept>,
    /// First day of validity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<NaiveDate>,
    /// Last day of validity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<NaiveDate>,
}
