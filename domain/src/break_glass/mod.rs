//! Break-glass: reading one patient's record in an emergency, to be answered for afterwards.
//!
//! Whoever may use it shows a second factor and says why; a part of one patient's record is open to
//! them for an hour, four at the most; the reviewers are told at once, and somebody else has to look at
//! it within three days. While a review is overdue, its author declares nothing. Nothing of this needs
//! more than the database.

mod declare;
mod due;
mod end;
mod read;
mod review;

pub use declare::{DeclareBreakGlass, LONGEST_MINUTES, SHORTEST_REASON, declare};
pub use due::settle_due;
pub use end::end;
pub use read::{BreakGlassFilter, by_ids, count, list};
pub use review::{Verdict, review};

use chrono::{DateTime, TimeDelta, Utc};
use praxis_entity::break_glass::{self, BreakGlassStatus};
use praxis_platform::{
    Op,
    access::{Actor, Permission},
};

use crate::{Result, transitions::Machine};

/// A declaration is reviewed within this time.
pub const REVIEWED_WITHIN: TimeDelta = TimeDelta::hours(72);

/// Where a declaration stands at an instant: one whose time ran out has expired, noted or not.
pub fn status_at(row: &break_glass::Model, now: DateTime<Utc>) -> BreakGlassStatus {
    match row.status {
        BreakGlassStatus::Active if row.expires_at <= now => BreakGlassStatus::Expired,
        status => status,
    }
}

/// Whether a review is late at an instant.
pub fn is_overdue(row: &break_glass::Model, now: DateTime<Utc>) -> bool {
    row.reviewed_at.is_none() && row.review_due_at <= now
}

/// Whether the actor reviews declarations: they see all, whoever else sees their own.
fn reviews<M>(op: &Op<M>) -> bool {
    op.actor().may(Permission::BREAK_GLASS_REVIEW)
}

/// What the actor may do with a declaration, besides what their roles permit: nobody reviews their own, and whoever
/// reviews may end another's.
pub fn permits(actor: &Actor, row: &break_glass::Model, permission: Permission) -> bool {
    let own = actor.user == Some(row.user_id);
    match permission {
        Permission::BREAK_GLASS_REVIEW => actor.may(permission) && !own,
        _ => actor.may(permission) && own || actor.may(Permission::BREAK_GLASS_REVIEW),
    }
}

/// The status that an action brings about, if the declaration can get there from where it stands.
async fn step<M>(
    op: &Op<M>,
    row: &break_glass::Model,
    action: &str,
    to: BreakGlassStatus,
) -> Result<BreakGlassStatus> {
    let (machine, from) = (Machine::load(op, "break_glass").await?, status_at(row, op.now()));
    if machine.leads(&from, action).is_some_and(|_: BreakGlassStatus| machine.allows(&from, &to)) {
        return Ok(to);
    }
    Err(machine.refusal(&from, |permission| permits(op.actor(), row, permission)).into())
}
