//! Work that is done by itself: what follows from an event, and what is due at a time.
//!
//! A job is a row of the transaction that causes it: no commit, no job. A worker runs it in a transaction of its
//! own, in which the row becomes DONE; so whatever happens to a server, its effects are there once or not yet. What
//! a job does, the domains know ([`Perform`]). See `docs/events.md`.

mod cron;
mod dead;
mod enqueue;
mod perform;
mod row;
mod worker;

pub use cron::next_time;
pub use dead::{JobFilter, RECURRING as RECURRING_KEY, by_id, discard, list, retry};
pub use enqueue::{FORGOTTEN_AT_ONCE, NewJob, enqueue, forget_finished};
pub use perform::{Perform, Problem};
pub use worker::{Ran, Result as Outcome, Worker};
