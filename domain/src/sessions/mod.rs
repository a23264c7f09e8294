//! Sessions as people see them: which there are, ending them, and how long they may idle.

mod end;
mod policy;
mod read;

pub use end::{end, end_others};
pub use policy::{SessionPolicy, policy, set_policy};
pub use read::{by_ids, of_user, own};
