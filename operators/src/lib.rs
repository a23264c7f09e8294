//! The control plane: what operators see of an installation and do with it, as a GraphQL schema of its own.
//!
//! It listens apart from the clinics, knows other people, and holds nothing of a patient: all of it is read from the
//! control schema. Resolvers are a few lines over the package `fleet`, as the command line is. Everything but the schema
//! itself asks for a signed-in operator; what one changes is written down with their address.

mod fleet;
mod mutation;
mod page;
mod plane;
mod runs;
mod scalar;
mod schema;
mod tenants;

pub use plane::{ControlPlane, Request};
pub use praxis_fleet::operators::Operator;
