//! Ending emergency access before its time.

use praxis_entity::{
    break_glass::{self, BreakGlassStatus},
    ids::BreakGlassId,
};
use praxis_platform::{Failure, Op, Write, access::Permission, audit::Entry};
use sea_orm::{
    ActiveValue::{Set, Unchanged},
    EntityTrait,
};

use super::{reviews, step};
use crate::Result;

/// Ends it: its author does when the emergency is over, a reviewer when it should not be.
pub async fn end(op: &Op<Write>, id: BreakGlassId) -> Result<break_glass::Model> {
    if !reviews(op) {
        op.require(Permission::BREAK_GLASS_USE)?;
    }
    let user = op.actor().user.ok_or(Failure::Unauthenticated)?;
    let stored = super::read::locked(op, id).await?;
    let status = step(op, &stored, "breakGlassEnd", BreakGlassStatus::Ended).await?;
    let change = break_glass::ActiveModel {
        id: Unchanged(id),
        status: Set(status),
        ended_at: Set(Some(op.now())),
        ended_by: Set(Some(user)),
        ..Default::default()
    };
    let ended = break_glass::Entity::update(change).exec(op.db()).await?;
    op.record(Entry::done("break-glass.end").on("BreakGlass", id.0, ended.version).of(ended.patient_id.0));
    Ok(ended)
}
