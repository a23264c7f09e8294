//! What operators do with many clinics: bring their schemas forward, look whether they drifted,
//! take one away and bring it back.
//!
//! The command line and the control plane are clients of this package; it knows neither. Everything
//! here works with the operator's own rights on the database, and nothing of it runs in a request of
//! a clinic.

pub mod executor;
pub mod migrate;
pub mod operators;
pub mod registry;
pub mod tenant;
