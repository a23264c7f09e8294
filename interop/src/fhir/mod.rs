//! FHIR R4: taking in bundles, bulk files and single resources.
//!
//! A resource goes three ways. What the domain models is mapped and recorded through the domain's own
//! functions. Elements that are not mapped, or not to the last detail, stay beside the row as a sealed
//! residual. Types without a model are sealed whole. So nothing of a resource is lost.
//!
//! Read in this order: [`input`] (what files hold), `source` (one resource as received), `map` (what
//! becomes of it), `batch` (one transaction), [`import()`].

mod batch;
mod bundle;
mod import;
pub mod input;
mod links;
mod map;
mod name;
mod people;
mod report;
mod source;
mod store;
mod types;

pub use import::{ImportError, Options, import};
pub use input::{Input, InputError};
pub use report::{Failed, Report, TypeReport};
