//! Persons in care: who they are, how they are reached, who stands by them.
//!
//! Whatever identifies a person is sealed in four classes (record number, identity, contact,
//! identifiers) under the person's own key. They are found again through keyed tokens, and by name
//! through an index in memory.
//!
//! A record is ACTIVE or INACTIVE, and DECEASED at the end; MERGED and ERASED records are kept, but
//! change no more. Record number, national number and other identifiers belong to one person each;
//! e-mail, telephone number and birth date are shared by families.

mod amend;
mod chart;
mod duplicates;
mod filter;
mod names;
mod phone;
mod read;
mod record;
mod register;
mod related;
mod rules;
mod search;
mod status;
mod token;

pub use amend::{AmendPatient, amend};
pub(crate) use chart::open_charts;
pub use filter::PatientFilter;
pub use read::{Lookup, by_ids, by_ids_with_standing, count, find, list};
pub use record::preferred;
pub use register::{RegisterPatient, Registered, import, register};
pub use related::{
    AddRelatedPerson, add_related_person, end_related_person, related_persons_by_ids, related_persons_of,
};
pub use status::{deactivate, reactivate, record_death};
