//! Problems and diagnoses of patients.
//!
//! What somebody has is sealed, its code included; whether it is present, how sure it is, and when it
//! began and ended is clear.

mod filter;
mod read;
mod record;

pub use filter::ConditionFilter;
pub use read::{by_ids, count_of_encounters, count_of_patients, of_encounters, of_patients};
pub(crate) use record::diagnose;
pub use record::{RecordCondition, record, record_many};
