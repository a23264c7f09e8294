//! The control plane: what operators see of an installation and do with it, as a GraphQL schema of its own.
//!
//! It listens apart from the clinics, knows other people, and holds nothing of a patient: all of it is read from the
//! control schema. Resolvers are a few lines over the package `fleet`, as the command line is. All of it asks for a
//! signed-in operator with the right to it; what one changes is written down with their address. Long work is asked for
//! here and done by the [executor](praxis_fleet::executor), so that no request waits for it.

mod admission;
mod error;
mod fleet;
mod ground;
mod mutation;
mod operations;
mod page;
mod people;
mod plane;
mod runs;
mod scalar;
mod schema;
mod stored;
mod tenants;
mod together;

pub use plane::{ControlPlane, Request};
pub use praxis_fleet::operators::{Operator, Session};
