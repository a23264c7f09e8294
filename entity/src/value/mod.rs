//! Stored value types: what a column or a sealed blob holds.
//!
//! The shapes follow FHIR's data types, so mapping to and from FHIR stays mechanical.

mod code;
mod contact;
mod moment;
mod name;
mod observation;
mod phi;
mod sealed;

pub use code::{CodeableConcept, Coding, Quantity};
pub use contact::{Address, ContactPoint, ContactSystem, Identifier};
pub use moment::{Moment, PartialDate, PartialDateError};
pub use name::HumanName;
pub use observation::{Component, ObservationValue, ReferenceRange};
pub use phi::{
    AppointmentNote, AuditChange, BreakGlassFinding, BreakGlassStatement, ConditionClinical, Contact,
    DisclosureDetails, EncounterClinical, EncounterText, FhirBody, Identifiers, Identity, MailFacts,
    ObservationResult, ProviderSecret, RecordNumber, RelatedPersonDetails, TotpSecret,
};
pub use sealed::{PhiClass, Sealed};
