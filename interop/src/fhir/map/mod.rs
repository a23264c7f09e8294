//! What becomes of each mapped type: pure functions from a resource to what the domain records.

mod allergy;
mod condition;
mod document;
mod encounter;
mod immunization;
mod medication;
mod moment;
mod observation;
mod organization;
mod patient;
mod person;
mod practitioner;
mod procedure;
mod references;
mod value;

pub(super) use allergy::allergy;
pub(super) use condition::condition;
pub(super) use document::document;
pub(super) use encounter::encounter;
pub(super) use immunization::immunization;
pub(super) use medication::{medication, request, statement};
pub(super) use observation::observation;
pub(super) use organization::organization;
pub(super) use patient::{Person, patient};
pub(super) use practitioner::practitioner;
pub(super) use procedure::procedure;
pub(super) use references::{Context, owner, references};
