//! What a rule of alerts could not look at when it was sealed: looked at again, until it can.
//!
//! Rules that count back over a window count from the later look. Each rule goes its own way: one that fails
//! again is left until the next round, and keeps no other from catching up.

use std::collections::HashMap;

use praxis_entity::{alert_rule, audit_entry, audit_leaf, audit_unwatched};
use praxis_platform::{
    Op, OpFactory, Write,
    audit::{Batch, Head},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{LockBehavior, LockType},
};

use super::alert;
use crate::{Result, page::any_of};

/// Batches that each rule looks at again in one round.
const ONCE: u64 = 10;

/// Marks a batch for a rule.
pub(super) async fn mark(op: &Op<Write>, batch: &Batch, kind: &str) -> Result<()> {
    let high = batch.head.edge.size().cast_signed();
    let low = high - i64::try_from(batch.entries.len()).unwrap_or_default();
    let mark = audit_unwatched::ActiveModel { kind: Set(kind.to_owned()), low: Set(low), high: Set(high) };
    audit_unwatched::Entity::insert(mark).exec_without_returning(op.db()).await?;
    Ok(())
}

/// Looks again at what is marked. What fails once more stays marked.
pub(super) async fn look_again(system: &OpFactory) -> Result<()> {
    let mut left = Vec::new();
    for _ in 0..ONCE {
        let marks = oldest(system, &left).await?;
        if marks.is_empty() {
            break;
        }
        for mark in marks {
            if !look_at(system, &mark).await? {
                left.push(mark.kind);
            }
        }
    }
    Ok(())
}

/// The oldest mark of each rule but those.
async fn oldest(system: &OpFactory, but: &[String]) -> Result<Vec<audit_unwatched::Model>> {
    let op = system.read();
    let marks = audit_unwatched::Entity::find()
        .distinct_on([audit_unwatched::Column::Kind])
        .filter(audit_unwatched::Column::Kind.is_not_in(but.iter().cloned()))
        .order_by_asc(audit_unwatched::Column::Kind)
        .order_by_asc(audit_unwatched::Column::Low)
        .all(op.db())
        .await?;
    op.release().await;
    Ok(marks)
}

/// Looks again at one mark, and takes it away; false where it stays, or another server is at it.
async fn look_at(system: &OpFactory, mark: &audit_unwatched::Model) -> Result<bool> {
    let op = system.write_always().await?;
    let held = audit_unwatched::Entity::find_by_id((mark.kind.clone(), mark.low))
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .one(op.db())
        .await?;
    let rule = alert_rule::Entity::find().filter(alert_rule::Column::Kind.eq(&mark.kind)).one(op.db());
    let (Some(mark), Some(rule)) = (held, rule.await?) else {
        op.rollback().await?;
        return Ok(false);
    };
    let batch = batch(&op, &mark).await?;
    if rule.enabled && !alert::attempt(&op, &batch, &rule).await? {
        op.rollback().await?;
        return Ok(false);
    }
    audit_unwatched::Entity::delete_by_id((mark.kind, mark.low)).exec(op.db()).await?;
    op.commit_sealed(&batch).await?;
    Ok(true)
}

/// The entries of a mark, as they were sealed.
async fn batch(op: &Op<Write>, mark: &audit_unwatched::Model) -> Result<Batch> {
    let leaves = audit_leaf::Entity::find()
        .filter(audit_leaf::Column::Seq.gte(mark.low))
        .filter(audit_leaf::Column::Seq.lt(mark.high))
        .all(op.db())
        .await?;
    let genuine: HashMap<_, _> = leaves.iter().map(|leaf| (leaf.entry_id, leaf.genuine)).collect();
    let ids = leaves.iter().map(|leaf| leaf.entry_id.0).collect();
    let entries =
        audit_entry::Entity::find().filter(any_of(audit_entry::Column::Id, ids)).all(op.db()).await?;
    let forged = entries.iter().filter(|entry| genuine.get(&entry.id) == Some(&false)).cloned().collect();
    Ok(Batch { entries, forged, head: Head::default(), full: false })
}
