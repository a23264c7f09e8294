//! Clinical rules: data that says when an alert is raised, a task opened, or a visit kept from being closed.
//!
//! A rule has editions, and an edition never changes: what it explained stays explained. It is written, then tested
//! on made-up cases (one at least in which it fires, one in which it does not), then put into use by somebody who
//! did not write it. It is asked when something happens, over facts that were gathered before, and each time it says
//! what it found: fired, not fired, or not checked and why. The database holds all of that, too.

mod act;
mod activate;
mod cause;
mod draft;
mod evaluate;
mod gather;
mod read;
mod retire;
pub(crate) mod seeded;
mod support;
mod test;

pub use act::RuleAction;
pub use activate::activate;
pub use cause::{FACTS, FactSpec, facts_of, vocabulary};
pub use draft::{NewRule, TestCase, draft};
pub use evaluate::{Requirement, Trigger, evaluate, on_vitals, required};
pub use read::{RuleFilter, by_ids, cases_of, is_turn, list};
pub use retire::retire;
pub use support::{Check, support_of};
pub use test::test;
