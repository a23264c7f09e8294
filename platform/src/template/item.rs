//! What a template can hold: roles, field policies, visit types, specialties, note templates and clinical rules.

use serde::{Deserialize, Serialize};

use super::seed::Item;
use crate::access::{Permission, PermissionSet};

/// `template.yaml`: the name of a template, its parent, and the regional defaults of a clinic made from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Equal to the name of the folder.
    pub name: String,
    /// Semantic version of the content.
    pub version: String,
    /// The template this one builds on.
    pub extends: Option<String>,
    /// Name shown when a clinic is set up.
    pub title: String,
    /// For which kind of clinic the template is meant.
    pub description: String,
    /// BCP 47 tag.
    pub locale: String,
    /// IANA time zone, a default that each clinic overrides.
    pub time_zone: String,
    /// ISO 4217 code.
    pub currency: String,
}

/// A role and what it permits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Role {
    /// Key that survives a renaming.
    pub code: String,
    /// Name shown to staff.
    pub name: String,
    /// Who holds the role and what it is for.
    pub description: String,
    /// Whoever holds several roles lands in the workspace of the role with the lowest number.
    pub landing_order: u16,
    /// What its holders may do.
    pub permissions: PermissionSet,
}

/// A permission required for a field in addition to the one the API declares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldPolicy {
    /// Type of the API.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Field of that type.
    pub field: String,
    /// Permission that is required as well.
    pub permission: Permission,
    /// Why the field is guarded more closely.
    pub reason: String,
}

/// A kind of appointment the clinic offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitType {
    /// Key that survives a renaming.
    pub key: String,
    /// Name shown when booking.
    pub name: String,
    /// When to choose it, and what to prepare.
    pub description: Option<String>,
    /// How patient and clinician meet.
    pub modality: Modality,
    /// Time with the patient.
    pub duration_minutes: u16,
    /// Time kept free before.
    #[serde(default)]
    pub buffer_before_minutes: u16,
    /// Time kept free after.
    #[serde(default)]
    pub buffer_after_minutes: u16,
    /// Colour in the calendar, `#RRGGBB`.
    pub colour: String,
    /// Roles whose holders can be booked for it.
    pub bookable_roles: Vec<String>,
}

/// How patient and clinician meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Modality {
    /// At the clinic.
    InPerson,
    /// By video call.
    Video,
    /// By telephone.
    Phone,
}

/// A specialty staff can be listed under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Specialty {
    /// Provider taxonomy code.
    pub code: String,
    /// Name shown to patients and staff.
    pub display: String,
}

/// A clinical rule that is in use from the beginning. What it means is the domain's to say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClinicalRule {
    /// Key that survives a renaming.
    pub code: String,
    /// What it says, in a few words.
    pub title: String,
    /// When it is asked.
    pub cause: String,
    /// When it fires.
    pub condition: String,
    /// How grave it is.
    pub severity: String,
    /// Why one believes it.
    pub evidence: Option<String>,
    /// What follows.
    pub actions: serde_json::Value,
    /// The cases by which it is tested.
    pub cases: Vec<RuleCase>,
}

/// A made-up case of a clinical rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RuleCase {
    /// What it is.
    pub name: String,
    /// What is known in it, by name.
    pub facts: serde_json::Value,
    /// Whether the rule has to fire.
    pub fires: bool,
}

/// The outline a clinical note starts from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoteTemplate {
    /// Key, equal to the name of the file.
    pub key: String,
    /// Name shown when a note is started.
    pub title: String,
    /// LOINC code of the document type.
    pub loinc: String,
    /// Whether one who may not cosign needs somebody who does.
    pub cosign: bool,
    /// The sections, in order.
    pub sections: Vec<NoteSection>,
}

/// One section of a note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteSection {
    /// LOINC code of the section.
    pub loinc: String,
    /// Heading.
    pub title: String,
    /// Whether the note can be signed only with this section filled in.
    pub required: bool,
    /// The Markdown the section starts with, often empty.
    pub text: String,
    /// What of its visit it becomes once the note is signed, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feeds: Option<Feeds>,
}

/// What a section of a signed note becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Feeds {
    /// The assessment of the visit.
    Assessment,
    /// The plan of the visit.
    Plan,
}

impl Item for Role {
    const KIND: &'static str = "role";
    fn key(&self) -> String {
        self.code.clone()
    }
}

impl Item for FieldPolicy {
    const KIND: &'static str = "field_policy";
    fn key(&self) -> String {
        format!("{}.{}", self.type_name, self.field)
    }
}

impl Item for VisitType {
    const KIND: &'static str = "visit_type";
    fn key(&self) -> String {
        self.key.clone()
    }
}

impl Item for Specialty {
    const KIND: &'static str = "specialty";
    fn key(&self) -> String {
        self.code.clone()
    }
}

impl Item for ClinicalRule {
    const KIND: &'static str = "rule";
    fn key(&self) -> String {
        self.code.clone()
    }
}

impl Item for NoteTemplate {
    const KIND: &'static str = "note_template";
    fn key(&self) -> String {
        self.key.clone()
    }
}
