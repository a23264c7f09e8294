//! Alerts: what rules say about patients, and what clinicians reply.
//!
//! An alert is raised once for each evaluation that fires. Somebody says that they have seen it, and then that it was
//! dealt with; or goes against it, for a reason. To go against what is contraindicated takes a second factor. None
//! goes away by itself, except where its rule says that its time runs out.

mod acknowledge;
mod check;
mod expire;
mod overrule;
mod raise;
mod read;
mod resolve;

pub use acknowledge::acknowledge;
pub use expire::expire;
pub use overrule::overrule;
pub use raise::{NewAlert, raise};
pub use read::{AlertFilter, by_ids, count, list, unacknowledged};
pub use resolve::resolve;
