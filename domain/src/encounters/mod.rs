//! Visits: planned, under way or over; who took part, and what they were about.
//!
//! When a visit was, where, and in which status is clear; why is sealed. A visit recorded after the
//! fact may begin in any status; from then on only the steps of its machine change it. Each step locks the row, and
//! whatever hangs on a visit refers to that row: nothing is added to a visit while it takes a step.

mod arrive;
mod change;
mod consult;
mod end;
mod filter;
mod hear;
mod note;
mod participants;
mod plan;
mod policy;
pub mod react;
mod read;
mod record;
mod timeline;

pub use arrive::{check_in, triage};
pub(crate) use change::begin;
pub use consult::{hold, resume, start};
pub use end::{cancel, reopen};
pub use filter::EncounterFilter;
pub(crate) use hear::{Source, hear};
pub use note::{current_notes_of, notes_of};
pub(crate) use note::{text, write};
pub(crate) use participants::all_leave;
pub use participants::{ROLES, add_participant, end_participant};
pub use plan::{PlanEncounter, plan};
pub(crate) use policy::policy;
pub use policy::{SetVisitPolicy, policies, set_policy};
pub use read::{by_appointments, by_ids, count_of_patients, of_patients, participants_of};
pub use record::{RecordEncounter, record, record_many};
pub use timeline::{count_of_timelines, timeline_of};
