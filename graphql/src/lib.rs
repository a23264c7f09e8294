//! The whole type graph of the API, and the only package that knows async-graphql.
//!
//! Resolvers are a few lines: ask for an operation (which checks the permission of the field),
//! call one domain function, wrap its rows. PHI leaves only as [`phi::Phi`].

mod api;
mod batch;
#[cfg(test)]
mod conformance;
mod context;
mod error;
mod idempotency;
mod ids;
mod limits;
mod loaders;
mod node;
mod page;
mod payload;
mod phi;
mod policy;
mod redaction;
mod scalar;
mod schema;
mod sdl;
mod value;

mod charting;
mod clinic;
mod encounters;
mod history;
mod patients;
mod scheduling;
mod staff;
mod viewer;

pub use api::{Api, GraphqlRequest, Outcome};
pub use context::{Caller, RedactionMode};
pub use error::{Code, INTERNAL_MESSAGE, entry};
pub use limits::Limits;
pub use policy::{Access, PhiCategory, Sensitivity, coordinates};
pub use schema::build;
