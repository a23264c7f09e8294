//! Value types: FHIR's data types in GraphQL clothing, so that mapping stays mechanical.

use async_graphql::{Enum, InputObject, SimpleObject, Union};
use praxis_entity::value as stored;

use crate::{
    policy::{Rule, inherited},
    scalar::{DateTime, Decimal},
};

pub(crate) const POLICY: &[Rule] = &[
    inherited("HumanName", &["given", "family", "prefix", "suffix", "use", "full"]),
    inherited("ContactPoint", &["system", "value", "use", "preferred"]),
    inherited("Address", &["use", "lines", "city", "district", "state", "postalCode", "country"]),
    inherited("Identifier", &["system", "value", "type"]),
    inherited("Coding", &["system", "code", "display", "version"]),
    inherited("CodeableConcept", &["text", "codings"]),
    inherited("Quantity", &["value", "comparator", "unit", "code"]),
    inherited("ReferenceRange", &["low", "high", "text"]),
    inherited("ConceptValue", &["concept"]),
    inherited("QuantityValue", &["quantity"]),
    inherited("TextValue", &["text"]),
    inherited("BooleanValue", &["boolean"]),
    inherited("IntegerValue", &["integer"]),
    inherited("DateTimeValue", &["at", "text"]),
];

/// A person's name in parts.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct HumanName {
    /// Given names, first name first.
    given: Vec<String>,
    /// Family name.
    family: String,
    /// Title before the name.
    prefix: Option<String>,
    /// Title after the name.
    suffix: Option<String>,
    /// What the name is for: OFFICIAL, USUAL, MAIDEN, NICKNAME, OLD.
    #[graphql(name = "use")]
    usage: Option<String>,
    /// Ready to show: prefix, given names, family name, suffix.
    full: String,
}

impl From<&stored::HumanName> for HumanName {
    fn from(name: &stored::HumanName) -> Self {
        Self {
            full: name.full(),
            given: name.given.clone(),
            family: name.family.clone(),
            prefix: name.prefix.clone(),
            suffix: name.suffix.clone(),
            usage: name.usage.clone(),
        }
    }
}

/// A person's name in parts.
#[derive(InputObject, Debug, Clone, serde::Serialize)]
pub(crate) struct HumanNameInput {
    /// Given names, first name first.
    given: Vec<String>,
    /// Family name.
    family: String,
    /// Title before the name.
    prefix: Option<String>,
    /// Title after the name.
    suffix: Option<String>,
}

impl From<HumanNameInput> for stored::HumanName {
    fn from(name: HumanNameInput) -> Self {
        Self { usage: None, given: name.given, family: name.family, prefix: name.prefix, suffix: name.suffix }
    }
}

/// The channel of a contact point.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "stored::ContactSystem")]
pub(crate) enum ContactSystem {
    /// Telephone.
    Phone,
    /// E-mail.
    Email,
    /// Anything else.
    Other,
}

/// One way to reach a person.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct ContactPoint {
    /// The channel.
    system: ContactSystem,
    /// Number in E.164, or address.
    value: String,
    /// HOME, WORK, MOBILE, OLD or TEMP.
    #[graphql(name = "use")]
    usage: Option<String>,
    /// The one to use first among its channel.
    preferred: bool,
}

impl From<&stored::ContactPoint> for ContactPoint {
    fn from(point: &stored::ContactPoint) -> Self {
        Self {
            system: point.system.into(),
            value: point.value.clone(),
            usage: point.usage.clone(),
            preferred: point.preferred,
        }
    }
}

/// One way to reach a person.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct ContactPointInput {
    /// The channel.
    system: ContactSystem,
    /// Number or address.
    value: String,
    /// HOME, WORK, MOBILE, OLD or TEMP.
    #[graphql(name = "use")]
    usage: Option<String>,
    /// The one to use first among its channel.
    #[graphql(default)]
    preferred: bool,
}

impl From<ContactPointInput> for stored::ContactPoint {
    fn from(point: ContactPointInput) -> Self {
        Self {
            system: point.system.into(),
            value: point.value,
            usage: point.usage,
            preferred: point.preferred,
        }
    }
}

/// A postal address.
#[derive(SimpleObject, InputObject, Debug, Clone)]
#[graphql(input_name = "AddressInput")]
pub(crate) struct Address {
    /// HOME, WORK, BILLING, OLD or TEMP.
    #[graphql(name = "use")]
    usage: Option<String>,
    /// Street lines.
    #[graphql(default)]
    lines: Vec<String>,
    /// Town or city.
    city: Option<String>,
    /// District or county.
    district: Option<String>,
    /// State or province.
    state: Option<String>,
    /// Postal code.
    postal_code: Option<String>,
    /// Country, ISO 3166 where known.
    country: Option<String>,
}

impl From<&stored::Address> for Address {
    fn from(address: &stored::Address) -> Self {
        let stored::Address { usage, lines, city, district, state, postal_code, country } = address.clone();
        Self { usage, lines, city, district, state, postal_code, country }
    }
}

impl From<Address> for stored::Address {
    fn from(address: Address) -> Self {
        let Address { usage, lines, city, district, state, postal_code, country } = address;
        Self { usage, lines, city, district, state, postal_code, country }
    }
}

/// A number some authority gave the person.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct Identifier {
    /// URI of the naming system.
    system: String,
    /// The number.
    value: String,
    /// Kind of number, HL7 v2-0203.
    #[graphql(name = "type")]
    kind: Option<CodeableConcept>,
}

impl From<&stored::Identifier> for Identifier {
    fn from(identifier: &stored::Identifier) -> Self {
        Self {
            system: identifier.system.clone(),
            value: identifier.value.clone(),
            kind: identifier.kind.as_ref().map(Into::into),
        }
    }
}

/// A number some authority gave the person.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct IdentifierInput {
    /// URI of the naming system.
    system: String,
    /// The number.
    value: String,
}

impl From<IdentifierInput> for stored::Identifier {
    fn from(identifier: IdentifierInput) -> Self {
        Self {
            system: identifier.system,
            value: identifier.value,
            kind: None,
            valid_from: None,
            valid_until: None,
        }
    }
}

/// One code of one code system, as it was recorded.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct Coding {
    /// URI of the code system, for example `http://loinc.org`.
    system: String,
    /// The code.
    code: String,
    /// The text recorded with the code.
    display: Option<String>,
    /// Version of the code system.
    version: Option<String>,
}

/// A concept as text, codes, or both.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct CodeableConcept {
    /// The text the author saw or wrote.
    text: Option<String>,
    /// The codes, in the order given.
    codings: Vec<Coding>,
}

impl From<&stored::CodeableConcept> for CodeableConcept {
    fn from(concept: &stored::CodeableConcept) -> Self {
        Self {
            text: concept.text.clone(),
            codings: concept
                .codings
                .iter()
                .map(|coding| Coding {
                    system: coding.system.clone(),
                    code: coding.code.clone(),
                    display: coding.display.clone(),
                    version: coding.version.clone(),
                })
                .collect(),
        }
    }
}

/// One code of one code system.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct CodingInput {
    /// URI of the code system.
    system: String,
    /// The code.
    code: String,
    /// The text to record with the code.
    display: Option<String>,
}

/// A concept as text, codes, or both.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct CodeableConceptInput {
    /// The text the author saw or wrote.
    text: Option<String>,
    /// The codes.
    #[graphql(default)]
    codings: Vec<CodingInput>,
}

impl From<CodeableConceptInput> for stored::CodeableConcept {
    fn from(concept: CodeableConceptInput) -> Self {
        Self {
            text: concept.text,
            codings: concept
                .codings
                .into_iter()
                .map(|coding| stored::Coding {
                    system: coding.system,
                    code: coding.code,
                    display: coding.display,
                    version: None,
                })
                .collect(),
        }
    }
}

/// A measured amount.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct Quantity {
    /// Exact value.
    value: Decimal,
    /// `<`, `<=`, `>=` or `>` where the value is a bound.
    comparator: Option<String>,
    /// Unit as shown.
    unit: String,
    /// UCUM code of the unit.
    code: String,
}

impl From<&stored::Quantity> for Quantity {
    fn from(quantity: &stored::Quantity) -> Self {
        Self {
            value: Decimal(quantity.value),
            comparator: quantity.comparator.clone(),
            unit: quantity.unit.clone(),
            code: quantity.code.clone(),
        }
    }
}

/// The range that a value was read against.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct ReferenceRange {
    /// Lower bound.
    low: Option<Quantity>,
    /// Upper bound.
    high: Option<Quantity>,
    /// The range in words.
    text: Option<String>,
}

impl From<&stored::ReferenceRange> for ReferenceRange {
    fn from(range: &stored::ReferenceRange) -> Self {
        Self {
            low: range.low.as_ref().map(Into::into),
            high: range.high.as_ref().map(Into::into),
            text: range.text.clone(),
        }
    }
}

/// A number with a unit.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct QuantityValue {
    /// The amount.
    quantity: Quantity,
}

/// A coded answer.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct ConceptValue {
    /// The answer.
    concept: CodeableConcept,
}

/// An answer in words.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct TextValue {
    /// The words.
    text: String,
}

/// Yes or no.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct BooleanValue {
    /// The answer.
    boolean: bool,
}

/// A count.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct IntegerValue {
    /// The count.
    integer: i64,
}

/// A point in time.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct DateTimeValue {
    /// The first instant that it may mean.
    at: DateTime,
    /// As it was written.
    text: String,
}

/// The result of an observation, in one of its forms.
#[derive(Union, Debug, Clone)]
pub(crate) enum ObservationValue {
    /// A number with a unit.
    Quantity(QuantityValue),
    /// A coded answer.
    Concept(ConceptValue),
    /// An answer in words.
    Text(TextValue),
    /// Yes or no.
    Boolean(BooleanValue),
    /// A count.
    Integer(IntegerValue),
    /// A point in time.
    DateTime(DateTimeValue),
}

impl From<&stored::ObservationValue> for ObservationValue {
    fn from(value: &stored::ObservationValue) -> Self {
        use stored::ObservationValue as Stored;
        match value {
            Stored::Quantity(quantity) => Self::Quantity(QuantityValue { quantity: quantity.into() }),
            Stored::Concept(concept) => Self::Concept(ConceptValue { concept: concept.into() }),
            Stored::Text(text) => Self::Text(TextValue { text: text.clone() }),
            Stored::Boolean(boolean) => Self::Boolean(BooleanValue { boolean: *boolean }),
            Stored::Integer(integer) => Self::Integer(IntegerValue { integer: *integer }),
            Stored::Moment(moment) => {
                Self::DateTime(DateTimeValue { at: DateTime(moment.at), text: moment.text.clone() })
            }
        }
    }
}

impl IdentifierInput {
    /// System and number.
    pub(crate) fn pair(self) -> (String, String) {
        (self.system, self.value)
    }
}
