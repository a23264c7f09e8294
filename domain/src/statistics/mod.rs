//! How much there is of what. The database keeps the numbers up in the transactions that write the rows, so that they
//! cost nothing to ask for and are right at any moment. Nothing here is about a patient.

mod appointments;

pub use appointments::{Month, appointments};
