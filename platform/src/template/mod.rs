//! Tenant templates: what a new clinic starts with.
//!
//! A template is a folder of data, never of SQL or code: `template.yaml` (name, version, parent, regional defaults),
//! `roles.yaml`, `field_policies.yaml`, `visit_types.yaml`, `specialties.yaml`, `rules.yaml` and `note_templates/*.md`. With `extends`
//! it builds on a parent: items of the child are added, and replace an item of the parent that has the same key.
//!
//! - [`Source`] is where the files come from: those shipped in the binary, or a directory that stands on top of them.
//! - [`lint()`] names everything that is wrong: first by the published JSON Schemas, then by meaning (unknown permissions,
//!   parents and roles, cycles, duplicate keys, notes whose body and sections differ).
//! - [`Template::load`] resolves one template. It refuses what [`lint()`] would report, so a loaded template is sound.
//! - A [`Seed`] is one item to be stored. Its row id follows from tenant, kind and key alone, so seeding twice changes
//!   nothing; its content hash tells an upgrade which rows the template has changed and which the clinic has.
//!
//! Nothing here knows the database.

mod item;
mod layer;
mod lint;
mod load;
mod note;
mod reader;
mod seed;
mod source;
#[cfg(test)]
mod tests;

pub use item::{
    ClinicalRule, Feeds, FieldPolicy, Manifest, Modality, NoteSection, NoteTemplate, Role, RuleCase,
    Specialty, VisitType,
};
pub use lint::{Finding, lint};
pub use load::{Template, TemplateError};
pub use note::is_loinc;
pub use seed::{Item, Seed};
pub use source::Source;
