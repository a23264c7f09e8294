//! What a patient has, had, takes and does not tolerate.
//!
//! Problems and diagnoses are conditions; what somebody has is sealed, its code included, while whether it is present,
//! how sure it is, and when it ended is clear. The other chapters (allergies, medications as stated, immunisations,
//! procedures, family and social history) share one shape, `chapter`.

mod allergies;
pub mod chapter;
mod family;
mod filter;
mod immunizations;
mod medications;
mod problems;
mod procedures;
mod read;
mod record;
mod social;

pub use allergies::{
    NO_KNOWN_ALLERGY, PresentAllergies, is_none_known, is_none_of_a_kind, present_allergies, record_allergy,
};
pub use family::record_family_history;
pub use filter::ConditionFilter;
pub use immunizations::record_immunization;
pub use medications::record_medication;
pub use problems::{advance_problem, record_problem};
pub use procedures::record_procedure;
pub use read::{by_ids, count_of_encounters, count_of_patients, of_encounters, of_patients};
pub use record::{RecordCondition, record, record_many};
pub(crate) use record::{diagnose, withdraw};
pub use social::{SMOKING_STATUS, record_social_history};
