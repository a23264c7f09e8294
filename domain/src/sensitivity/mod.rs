//! How sensitive a patient, visit or finding is.

mod label;

pub use label::{Labelled, label};
