//! The parts of FHIR's data types that are mapped.
//!
//! A member that is missing here is noticed when it is met, and keeps its whole element in the
//! residual. So leaving one out is always safe, and adding one means mapping it fully.

mod clinical;
mod general;
mod history;
mod number;
mod person;

pub(super) use clinical::{
    Annotation, Component, Hospitalization, Participant, Ranges, Ratio, ReferenceRange, Values,
};
pub(super) use general::{CodeableConcept, Coding, Period, Quantity, Reference};
pub(super) use history::{Attachment, Contained, Content, DocumentContext, Dosage, Reaction};
pub(super) use number::Number;
pub(super) use person::{Address, Communication, ContactPoint, Extension, HumanName, Identifier};
