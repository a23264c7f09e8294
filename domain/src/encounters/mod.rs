//! Visits: planned, under way or over; who took part, and what they were about.
//!
//! When a visit was, where, and in which status is clear; why is sealed. A visit recorded after the
//! fact may begin in any status; from then on only legal transitions change it.

mod filter;
mod read;
mod record;

pub use filter::EncounterFilter;
pub use read::{by_appointments, by_ids, count_of_patients, of_patients, participants_of};
pub use record::{RecordEncounter, record, record_many};
