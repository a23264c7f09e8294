//! What the chapters of a history state: sealed as one blob per statement.

use serde::{Deserialize, Serialize};

use super::{CodeableConcept, Moment, PartialDate, PhiClass};

macro_rules! clinical {
    ($($name:ident)*) => {
        $(impl PhiClass for $name {
            const CLASS: &'static str = "clinical";
        })*
    };
}
clinical! { AllergyClinical MedicationClinical ImmunizationClinical ProcedureClinical FamilyHistoryClinical SocialHistoryClinical }

/// How dangerous the next contact may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Criticality {
    /// Not dangerous.
    Low,
    /// Perhaps a danger to life.
    High,
    /// Can't be said.
    UnableToAssess,
}

/// How grave a reaction was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReactionSeverity {
    /// Mild.
    Mild,
    /// Moderate.
    Moderate,
    /// Severe.
    Severe,
}

/// What happened at a contact.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllergyReaction {
    /// What showed.
    #[serde(default)]
    pub manifestations: Vec<CodeableConcept>,
    /// How grave it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<ReactionSeverity>,
}

/// What a patient does not tolerate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllergyClinical {
    /// The substance, or that there is none.
    pub code: CodeableConcept,
    /// How dangerous it may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criticality: Option<Criticality>,
    /// Whether it is confirmed.
    #[serde(default)]
    pub confirmed: bool,
    /// True for an intolerance, which the immune system has no part in.
    #[serde(default)]
    pub intolerance: bool,
    /// What happened.
    #[serde(default)]
    pub reactions: Vec<AllergyReaction>,
    /// When it began, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onset: Option<Moment>,
    /// Remarks.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Why it stands where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
}

/// What a patient takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MedicationClinical {
    /// The medication.
    pub code: CodeableConcept,
    /// How much and how often, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dosage: Option<String>,
    /// What for.
    #[serde(default)]
    pub reasons: Vec<CodeableConcept>,
    /// Since when, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Moment>,
    /// Until when, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Moment>,
    /// Who said so: the patient, a relative, another doctor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Remarks.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Why it stands where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
}

/// A vaccine that was given or not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImmunizationClinical {
    /// The vaccine, CVX where known.
    pub vaccine: CodeableConcept,
    /// When it was given, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<Moment>,
    /// Number of the lot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot: Option<String>,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manufacturer: Option<String>,
    /// Until when the lot is good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<PartialDate>,
    /// Where on the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<CodeableConcept>,
    /// How it went in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<CodeableConcept>,
    /// Why it was not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_given_reason: Option<CodeableConcept>,
    /// Remarks.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Why it stands where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcedureClinical {
    /// The procedure.
    pub code: CodeableConcept,
    /// When, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub performed: Option<Moment>,
    /// Until when, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Moment>,
    /// Where on the body.
    #[serde(default)]
    pub body_sites: Vec<CodeableConcept>,
    /// What for.
    #[serde(default)]
    pub reasons: Vec<CodeableConcept>,
    /// Remarks.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Why it stands where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
}

/// What one relative has or had.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FamilyCondition {
    /// What it is.
    pub code: CodeableConcept,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<CodeableConcept>,
    /// At which age it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onset_age: Option<i32>,
}

/// What a relative has or had.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FamilyHistoryClinical {
    /// What the relative is to the patient, v3-RoleCode.
    pub relationship: CodeableConcept,
    /// What they have or had; empty where nothing is known.
    #[serde(default)]
    pub conditions: Vec<FamilyCondition>,
    /// Whether they died, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deceased: Option<bool>,
    /// Remarks.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Why it stands where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
}

/// How a patient lives.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocialHistoryClinical {
    /// What it is about, LOINC where known: `72166-2` tobacco smoking status.
    pub code: CodeableConcept,
    /// The answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<CodeableConcept>,
    /// Since when, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Moment>,
    /// Remarks.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Why it stands where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
}
