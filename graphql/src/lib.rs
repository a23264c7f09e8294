//! TEMP: a stand-in until the type graph is merged.

pub mod api;
#[cfg(test)]
mod conformance;
pub mod context;
pub mod error;
pub mod limits;
pub mod schema;

pub use api::Api;
pub use context::{Caller, RedactionMode};
