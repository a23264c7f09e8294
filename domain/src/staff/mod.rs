//! Clinicians: who they are, by which numbers they are known, and when they see patients.

mod availability;
mod identifier;
mod npi;
mod read;
mod register;
mod upsert;

pub use availability::{WeeklyRule, set_availability};
pub use npi::{NPI_SYSTEM, is_npi};
pub(crate) use read::rules_of;
pub use read::{
    PractitionerFilter, availability_of, count_practitioners, identifiers_of, practitioners,
    practitioners_by_ids,
};
pub use register::{RegisterPractitioner, register_practitioner};
pub use upsert::upsert_practitioner;
