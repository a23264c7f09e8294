//! What a rule of alerts could not look at when it was sealed: looked at again, until it can.
//!
//! Rules that count back over a window count from the later look.

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

/// Batches looked at again in one round.
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
    let op = system.read();
    let marks = audit_unwatched::Entity::find().order_by_asc(audit_unwatched::Column::Low).limit(ONCE);
    let marks = marks.all(op.db()).await?;
    op.release().await;
    for mark in marks {
        let op = system.write_always().await?;
        let held = audit_unwatched::Entity::find_by_id((mark.kind.clone(), mark.low))
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
            .one(op.db())
            .await?;
        let rule = alert_rule::Entity::find().filter(alert_rule::Column::Kind.eq(&mark.kind)).one(op.db());
        let (Some(mark), Some(rule)) = (held, rule.await?) else {
            op.rollback().await?;
            continue;
        };
        let batch = batch(&op, &mark).await?;
        if rule.enabled && !alert::attempt(&op, &batch, &rule).await? {
            op.rollback().await?;
            continue;
        }
        audit_unwatched::Entity::delete_by_id((mark.kind, mark.low)).exec(op.db()).await?;
        op.commit_sealed(&batch).await?;
    }
    Ok(())
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
