//! What becomes of each mapped type: pure functions from a resource to what the domain records.

mod condition;
mod encounter;
mod moment;
mod observation;
mod organization;
mod patient;
mod person;
mod practitioner;
mod references;
mod value;

pub(super) use condition::condition;
pub(super) use encounter::encounter;
pub(super) use observation::observation;
pub(super) use organization::organization;
pub(super) use patient::{Person, patient};
pub(super) use practitioner::practitioner;
pub(super) use references::{Context, owner, references};
