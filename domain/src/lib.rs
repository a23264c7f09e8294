//! The rules of the clinic: one module per domain, one file per verb of the trade.
//!
//! A domain calls another for what it needs to do its own work. What follows elsewhere from an act is no call: the act
//! tells an [`event`], and a [`reaction`] to it does the rest. Functions take an [`Op`](praxis_platform::Op) first and
//! return rows, or an [`Error`]: a [`Violation`] for what the person at the screen can put right, a `Failure` for the
//! rest.

mod coded;
pub mod error;
pub mod event;
pub mod jobs;
pub mod page;
pub mod range;
pub mod reaction;
mod rights;
mod rows;

/// What rules say about patients, and what is replied.
pub mod alerts;
/// The log of what was done and read: sealed, watched, reported.
pub mod audit;
/// Reading one patient's record in an emergency.
pub mod break_glass;
/// Who cares for a patient.
pub mod care_team;
/// Observations: measurements and findings.
pub mod charting;
/// Branches, rooms, kinds of visit: what the clinic itself is.
pub mod clinic;
/// When a rule fires, and when a step of a workflow opens.
pub mod condition;
/// What patients allow and forbid.
pub mod consent;
/// What a clinician makes of a visit, and its closing.
pub mod consultation;
/// What is written about patients, and signed.
pub mod documents;
/// Visits that took place.
pub mod encounters;
/// Problems and diagnoses.
pub mod history;
/// People who sign in, and their roles.
pub mod identity;
/// A chart as it was known at a moment.
pub mod known;
/// What staff and patients are told.
pub mod notifications;
/// Operations that may be called by their id, and the programs that may call them.
pub mod operations;
/// Persons in care.
pub mod patients;
/// What a clinic asks for before a field is read.
pub mod policies;
/// Identity providers of the clinic.
pub mod providers;
/// What is kept for a time only.
pub mod retention;
/// Named sets of permissions, and who holds them.
pub mod roles;
/// When something is to be said, asked for, or done first.
pub mod rules;
/// Booked visits.
pub mod scheduling;
/// What people show besides a password.
pub mod second_factors;
/// How sensitive records are.
pub mod sensitivity;
/// Signed-in sessions, and how long they live.
pub mod sessions;
/// Clinicians and their availability.
pub mod staff;
/// How much there is of what, from numbers that are kept up.
pub mod statistics;
/// What somebody has to do.
pub mod tasks;
/// Bringing a clinic to what its template says now.
pub mod template;
/// Legal changes of status.
pub mod transitions;
/// Tasks that open one after another.
pub mod workflows;

pub use error::{Detail, Error, Missing, Requirement, Violation, ViolationCode};
pub use page::{PageRequest, Position, Slice};
pub use range::{StatusSet, TimeRange};

/// What a domain function gives.
pub type Result<T> = std::result::Result<T, Error>;
