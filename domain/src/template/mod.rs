//! Bringing a clinic to what its template says now: a merge of three, row by row.
//!
//! The three are what the template said when the row was last given (its `template_hash`), what it says now, and what
//! the clinic made of the row (`customised`, set by every verb that changes one). What the clinic left alone follows;
//! what it made its own stays, and is a conflict where the template says something else by now. Nothing is deleted.

mod apply;
mod compare;
mod editions;
mod plan;

pub use apply::apply;
pub use plan::{Change, Fate, Plan, plan};
