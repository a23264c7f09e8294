//! What time brings: access runs out, and reviews become late.

use praxis_entity::break_glass::{self, BreakGlassStatus, Column};
use praxis_platform::{
    Op, Write,
    access::Permission,
    audit::Entry,
    literal::Literal,
    mail::{NewMail, enqueue_to_holders},
};
use sea_orm::{
    ActiveValue::{Set, Unchanged},
    ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, LockBehavior, LockType},
};

use crate::Result;

/// Notes what has run out, and tells the reviewers of each review that is late, once. The operation is
/// the system's. How many rows changed; with none there is nothing to commit.
///
/// Nothing hangs on when this runs: what is open and what is overdue follows from the clocks alone.
pub async fn settle_due(op: &Op<Write>) -> Result<u64> {
    let expired = expire(op, Condition::all()).await?;
    // Another server that does the same at this moment has locked its rows.
    let late = break_glass::Entity::find()
        .filter(Column::ReviewedAt.is_null())
        .filter(Column::ReviewDueAt.lte(op.now()))
        .filter(Column::OverdueToldAt.is_null())
        .lock_with_behavior(LockType::NoKeyUpdate, LockBehavior::SkipLocked)
        .all(op.db())
        .await?;
    for row in &late {
        let facts = serde_json::json!({
            "declaration": row.id.to_string(),
            "declaredAt": row.declared_at,
            "reviewDueAt": row.review_due_at,
        });
        let mail = NewMail {
            to: String::new(),
            template: "break_glass_overdue",
            locale: None,
            facts: facts.as_object().cloned().unwrap_or_default(),
            dedupe_key: Some(format!("break_glass_overdue:{}", row.id)),
        };
        enqueue_to_holders(op, Permission::BREAK_GLASS_REVIEW, &mail).await?;
        let told = break_glass::ActiveModel {
            id: Unchanged(row.id),
            overdue_told_at: Set(Some(op.now())),
            ..Default::default()
        };
        let told = break_glass::Entity::update(told).exec(op.db()).await?;
        let entry = Entry::done("break-glass.overdue").on("BreakGlass", row.id.0, told.version);
        op.record(entry.of(row.patient_id.0));
    }
    Ok((expired + late.len()) as u64)
}

/// Notes which of some declarations have run out.
pub(super) async fn expire(op: &Op<Write>, which: impl sea_orm::sea_query::IntoCondition) -> Result<usize> {
    let expired = break_glass::Entity::update_many()
        .col_expr(Column::Status, Expr::value(sea_orm::ActiveEnum::to_value(&BreakGlassStatus::Expired)))
        .filter(Column::Status.is(BreakGlassStatus::Active))
        .filter(Column::ExpiresAt.lte(op.now()))
        .filter(which.into_condition())
        .exec_with_returning(op.db())
        .await?;
    for row in &expired {
        op.record(
            Entry::done("break-glass.expire").on("BreakGlass", row.id.0, row.version).of(row.patient_id.0),
        );
    }
    Ok(expired.len())
}

/// Notes that one has run out.
pub(super) async fn expire_one(op: &Op<Write>, row: &break_glass::Model) -> Result<()> {
    expire(op, Column::Id.eq(row.id)).await.map(drop)
}
