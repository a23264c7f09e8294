//! The sensitivity classes: what is sealed together, because it is read together.
//!
//! One blob per row and class. A reader who may not see a class never has it opened.

use serde::{Deserialize, Serialize};

use super::{
    Address, CodeableConcept, Component, ContactPoint, HumanName, Identifier, Moment, ObservationValue,
    PartialDate, PhiClass, ReferenceRange,
};

macro_rules! class {
    ($name:ident = $class:literal) => {
        impl PhiClass for $name {
            const CLASS: &'static str = $class;
        }
    };
}

/// The number the clinic itself gave the patient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordNumber {
    /// Medical record number.
    pub mrn: String,
}
class!(RecordNumber = "record_number");

/// Who the patient is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Names; the first is the one to use.
    pub names: Vec<HumanName>,
    /// Birth date, as precise as it is known.
    pub birth_date: PartialDate,
    /// When the patient died.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deceased: Option<Moment>,
    /// Marital status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marital_status: Option<CodeableConcept>,
    /// Languages, BCP 47, preferred first.
    #[serde(default)]
    pub languages: Vec<CodeableConcept>,
    /// Race categories.
    #[serde(default)]
    pub races: Vec<CodeableConcept>,
    /// Ethnicity categories.
    #[serde(default)]
    pub ethnicities: Vec<CodeableConcept>,
    /// Sex recorded at birth, where it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth_sex: Option<String>,
}
class!(Identity = "identity");

/// Where the patient is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Phones, e-mail addresses and others.
    #[serde(default)]
    pub points: Vec<ContactPoint>,
    /// Postal addresses.
    #[serde(default)]
    pub addresses: Vec<Address>,
}
class!(Contact = "contact");

/// The numbers that authorities gave the patient.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identifiers {
    /// The national number of the clinic's country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub national_id: Option<String>,
    /// All others.
    #[serde(default)]
    pub others: Vec<Identifier>,
}
class!(Identifiers = "identifiers");

/// Who a related person is and how they are reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelatedPersonDetails {
    /// v3-RoleCode or v2-0131 code of the relation.
    pub relationship: CodeableConcept,
    /// Name.
    pub name: HumanName,
    /// Phones and e-mail addresses.
    #[serde(default)]
    pub points: Vec<ContactPoint>,
}
class!(RelatedPersonDetails = "related_person");

/// Why an appointment was made, changed or dropped, in words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppointmentNote {
    /// Why the patient comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why it was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_reason: Option<String>,
}
class!(AppointmentNote = "note");

/// What an encounter was about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncounterClinical {
    /// Kinds of encounter.
    #[serde(default)]
    pub types: Vec<CodeableConcept>,
    /// Why the patient came.
    #[serde(default)]
    pub reasons: Vec<CodeableConcept>,
    /// Where the patient went afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discharge_disposition: Option<CodeableConcept>,
    /// Start as it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Moment>,
    /// End as it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Moment>,
}
class!(EncounterClinical = "clinical");

/// What is written in a visit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncounterText {
    /// The words.
    pub text: String,
}
class!(EncounterText = "encounter_note");

/// What was observed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservationResult {
    /// What was measured or found.
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
    /// Parts of a composed observation.
    #[serde(default)]
    pub components: Vec<Component>,
    /// Where on the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_site: Option<CodeableConcept>,
    /// How it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<CodeableConcept>,
    /// Remarks.
    #[serde(default)]
    pub notes: Vec<String>,
    /// When it was true, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective: Option<Moment>,
    /// When it became known, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued: Option<Moment>,
}
class!(ObservationResult = "clinical");

/// What the patient has or had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConditionClinical {
    /// The problem or diagnosis.
    pub code: CodeableConcept,
    /// How grave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<CodeableConcept>,
    /// Where on the body.
    #[serde(default)]
    pub body_sites: Vec<CodeableConcept>,
    /// When it began, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onset: Option<Moment>,
    /// When it ended, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abatement: Option<Moment>,
    /// When it was recorded, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<Moment>,
    /// Remarks.
    #[serde(default)]
    pub notes: Vec<String>,
}
class!(ConditionClinical = "clinical");

/// What a clinical document says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentBody {
    /// 32 random bytes, in hexadecimal: without them its hash would tell a short text to whoever guesses it. Empty in
    /// a working copy, which has no hash.
    #[serde(default)]
    pub salt: String,
    /// Why it takes the place of the version before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Its sections, in order.
    pub sections: Vec<DocumentSection>,
}
class!(DocumentBody = "document");

/// A section of a clinical document, with the heading that it had when it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentSection {
    /// LOINC code of the section.
    pub code: String,
    /// Heading.
    pub title: String,
    /// Markdown.
    pub text: String,
}

/// A received resource, or what is left of it after its known parts went into columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FhirBody {
    /// JSON text, number lexemes untouched.
    pub json: String,
}
class!(FhirBody = "fhir");

/// What a mail says: the values that its template fills in, links with secrets among them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MailFacts(pub serde_json::Map<String, serde_json::Value>);
class!(MailFacts = "mail");

/// Why somebody declared an emergency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakGlassStatement {
    /// In their own words.
    pub reason: String,
}
class!(BreakGlassStatement = "break_glass");

/// What the review of an emergency found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakGlassFinding {
    /// In the reviewer's words.
    pub comment: String,
}
class!(BreakGlassFinding = "break_glass_review");

/// What a change did, with a salt that keeps its hash from telling.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditChange {
    /// 32 random bytes, in hexadecimal.
    pub salt: String,
    /// What was there before.
    pub before: serde_json::Value,
    /// What is there now.
    pub after: serde_json::Value,
}
class!(AuditChange = "audit");

/// To whom outside a patient's data were given, what, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisclosureDetails {
    /// Name of the person or organisation.
    pub recipient: String,
    /// Their address, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What was given, in a few words.
    pub description: String,
    /// Why, in a few words.
    pub reason: String,
}
class!(DisclosureDetails = "disclosure");

/// What was written about a task, in words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskWords {
    /// What is to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// Why it waits, was rejected or called off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
class!(TaskWords = "task");

/// What a rule knew when it was asked, and which parts of its condition held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RuleExplanation {
    /// What was known, by name.
    pub facts: std::collections::BTreeMap<String, serde_json::Value>,
    /// The parts of the condition, in its order.
    pub parts: Vec<ExplainedPart>,
    /// What the condition asks for and nobody knew, by name.
    #[serde(default)]
    pub missing: Vec<String>,
}
class!(RuleExplanation = "rule_explanation");

/// A part of a condition, and whether it held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainedPart {
    /// The part as it was written.
    pub text: String,
    /// Whether it held; unknown where something was missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<bool>,
}

/// What was said in reply to an alert.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertWords {
    /// How it was dealt with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<String>,
    /// Why it was gone against, in more words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub justification: Option<String>,
}
class!(AlertWords = "alert");

/// How the clinic proves to an identity provider who it is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProviderSecret(pub String);
class!(ProviderSecret = "provider_secret");

/// What an authenticator app and the clinic share.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TotpSecret(pub [u8; 20]);
class!(TotpSecret = "totp");

/// Where a device is rung up: an address that its maker's service gave to it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PushAddress(pub String);
class!(PushAddress = "push_address");
