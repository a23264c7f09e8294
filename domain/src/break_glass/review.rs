//! Looking at an emergency afterwards.

use praxis_entity::{
    break_glass::{self, BreakGlassStatus},
    ids::BreakGlassId,
    value::BreakGlassFinding,
};
use praxis_platform::{Failure, Op, Write, access::Permission, audit::Entry};
use sea_orm::{
    ActiveValue::{Set, Unchanged},
    EntityTrait,
};

use super::{status_at, step};
use crate::{Result, Violation, ViolationCode, error::Violations};

const LONGEST_COMMENT: usize = 2_000;

/// What a review came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The access was right.
    Justified,
    /// It was not.
    Unjustified,
}

/// Closes the review. Nobody reviews their own declaration, and none that is still open.
pub async fn review(
    op: &Op<Write>,
    id: BreakGlassId,
    verdict: Verdict,
    comment: &str,
) -> Result<break_glass::Model> {
    op.require(Permission::BREAK_GLASS_REVIEW)?;
    op.require_step_up()?;
    let reviewer = op.actor().user.ok_or(Failure::Unauthenticated)?;
    let comment = checked(comment)?;
    let stored = super::read::locked(op, id).await?;
    if stored.user_id == reviewer {
        let message = "Nobody reviews their own emergency access.";
        return Err(Violation::at(ViolationCode::Locked, &["id"], message).into());
    }
    let to = match verdict {
        Verdict::Justified => BreakGlassStatus::Justified,
        Verdict::Unjustified => BreakGlassStatus::Unjustified,
    };
    let status = step(op, &stored, "breakGlassReview", to).await?;
    if status_at(&stored, op.now()) != stored.status {
        super::due::expire_one(op, &stored).await?;
    }
    let key = op.data_key(stored.patient_id.0).await?;
    let place = op.place("break_glass", id.0, stored.patient_id.0);
    let change = break_glass::ActiveModel {
        id: Unchanged(id),
        status: Set(status),
        reviewed_at: Set(Some(op.now())),
        reviewed_by: Set(Some(reviewer)),
        finding: Set(Some(op.seal(&key, &place, &BreakGlassFinding { comment })?)),
        ..Default::default()
    };
    let reviewed = break_glass::Entity::update(change).exec(op.db()).await?;
    let entry = Entry::done("break-glass.review").on("BreakGlass", id.0, reviewed.version);
    op.record(entry.of(reviewed.patient_id.0));
    Ok(reviewed)
}

fn checked(comment: &str) -> Result<String> {
    let mut found = Violations::default();
    let comment = comment.trim();
    if comment.is_empty() {
        found.add(ViolationCode::Required, &["comment"], "Say what the review found.");
    }
    if comment.chars().count() > LONGEST_COMMENT {
        found.add(ViolationCode::TooLong, &["comment"], "The text is longer than 2000 characters.");
    }
    if comment.contains('\0') {
        found.add(ViolationCode::Invalid, &["comment"], "The text holds control characters.");
    }
    found.check()?;
    Ok(comment.to_owned())
}
