//! Stored value types: what a column or a sealed blob holds.
//!
//! The shapes follow FHIR's data types, so mapping to and from FHIR stays mechanical.

mod code;
mod contact;
mod history;
mod moment;
mod name;
mod observation;
mod phi;
mod sealed;

pub use code::{CodeableConcept, Coding, Quantity};
pub use contact::{Address, ContactPoint, ContactSystem, Identifier};
pub use history::{
    AllergyClinical, AllergyReaction, Criticality, FamilyCondition, FamilyHistoryClinical,
    ImmunizationClinical, MedicationClinical, ProcedureClinical, ReactionSeverity, SocialHistoryClinical,
};
pub use moment::{Moment, PartialDate, PartialDateError};
pub use name::HumanName;
pub use observation::{Component, ObservationValue, ReferenceRange};
pub use phi::{
    AlertWords, AppointmentNote, AuditChange, BreakGlassFinding, BreakGlassStatement, ConditionClinical,
    Contact, DisclosureDetails, DocumentBody, DocumentSection, EncounterClinical, EncounterText,
    ExplainedPart, FhirBody, Identifiers, Identity, MailFacts, ObservationResult, ProviderSecret,
    PushAddress, RecordNumber, RelatedPersonDetails, RuleExplanation, TaskWords, TotpSecret,
};
pub use sealed::{PhiClass, Sealed};
