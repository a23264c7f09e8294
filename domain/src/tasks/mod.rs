//! Tasks: what somebody has to do, by when, and who has taken it on.
//!
//! A task is asked for, of one person or of everybody who holds a role. Somebody takes it on, begins, may have to
//! wait, and says what came of it. Of any number of people who take it on at once, one gets it: every change names
//! the version that was seen, and the first one to write moves the version on. A task never outlives the visit it
//! belongs to, and what it is about is of its own patient. What is written in words is sealed.

mod assign;
mod cancel;
mod check;
mod claim;
mod complete;
mod create;
mod escalate;
mod filter;
mod focus;
mod hold;
mod inbox;
pub mod react;
mod read;
mod reject;
mod start;
mod who;

pub(crate) use assign::judge_role;
pub use assign::{AssignTo, assign};
pub use cancel::cancel;
pub use claim::claim;
pub use complete::{CompleteTask, complete};
pub(crate) use create::is_code;
pub use create::{NewTask, create};
pub use escalate::escalate;
pub use filter::{Inbox, TaskFilter, TaskOrder};
pub use focus::Focus;
pub use hold::{hold, resume};
pub use inbox::{TaskCounts, counts};
pub use read::{
    by_ids, count, count_of_encounters, count_of_patients, list, of_encounters, of_instances, of_patients,
    open,
};
pub use reject::reject;
pub use start::start;
pub use who::is_turn;
