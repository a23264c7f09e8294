//! Observations: measurements and findings, with their parts, units and ranges.
//!
//! What was found is sealed, its code included; when, and of which kind, is clear. Nothing is ever
//! deleted: what was recorded by mistake becomes ENTERED_IN_ERROR.

mod early_warning;
mod enter_in_error;
mod filter;
mod measure;
mod read;
mod record;
mod vitals;

pub use early_warning::{EarlyWarning, Measured, Parameter, Risk, early_warning};
pub use enter_in_error::enter_in_error;
pub use filter::ObservationFilter;
pub use measure::Measure;
pub use read::{by_ids, count_of_encounters, count_of_patients, of_encounters, of_patients};
pub use record::{RecordObservation, record, record_many};
pub use vitals::{Consciousness, Reading, Round, VitalSigns, record_vitals, round_of, vitals_of};
