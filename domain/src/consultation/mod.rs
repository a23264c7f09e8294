//! What a clinician makes of a visit: assessment with diagnoses, plan; and closing it.
//!
//! It stands at the end of the list of domains, because closing asks all the others whether something is missing. Texts
//! are sealed and versioned. Diagnoses are conditions with a rank: of a visit no rank and no code is there twice.

mod assess;
mod close;
mod diagnose;
mod gate;
mod read;

pub use assess::{Assessment, assess, plan};
pub use close::{Closing, close};
pub use diagnose::NewDiagnosis;
pub use gate::requirements_of;
pub use read::{diagnoses_by_ids, diagnoses_of};
