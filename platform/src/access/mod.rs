//! Who may do what: permissions, the actor who holds them, and the field policies of a clinic.

mod actor;
mod grants;
mod permission;
mod policy;

pub use actor::{Actor, ActorKind};
pub use grants::load_grants;
pub use permission::{Permission, PermissionSet};
pub use policy::{FieldPolicies, load_field_policies};
