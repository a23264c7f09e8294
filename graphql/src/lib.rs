//! The whole type graph of the API, and the only package that knows async-graphql.
//!
//! Resolvers are a few lines: ask for an operation (which checks the permission of the field),
//! call one domain function, wrap its rows. PHI leaves only as [`phi::Phi`].
#![expect(clippy::too_many_arguments, reason = "a field has as many arguments as its schema says")]

mod alerts;
mod allowed;
pub mod api;
mod at_once;
mod batch;
mod care_team;
#[cfg(test)]
mod conformance;
mod context;
pub mod error;
mod idempotency;
mod identity;
mod ids;
pub mod limits;
mod live;
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

mod audit;
mod break_glass;
mod chart;
mod charting;
mod clinic;
mod consent;
mod consultation;
mod documents;
mod encounters;
mod field_policies;
mod history;
mod notifications;
mod operations;
mod patients;
mod roles;
mod rules;
mod scheduling;
mod second_factors;
mod sensitivity;
mod sign_in;
mod staff;
mod statistics;
mod subject;
mod tasks;
mod viewer;
mod withhold;
mod workflows;

pub use context::{Afresh, Caller, Recalled, RedactionMode};
pub use policy::{Access, Coordinate, PhiCategory, Sensitivity, coordinates};
pub use schema::build;
