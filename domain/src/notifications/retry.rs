//! Trying a notice anew that was given up.

use praxis_entity::{
    ids::NotificationId,
    notification::{ActiveModel, Entity, Model},
};
use praxis_platform::{Op, Write, access::Permission, audit::Entry, tenancy::Queue};
use sea_orm::{
    ActiveValue::{Set, Unchanged},
    EntityTrait, QuerySelect,
    sea_query::LockType,
};

use super::send::MAX_ATTEMPTS;
use crate::{Result, Violation, transitions::step_here};

/// Lets a notice be tried anew, as often as a new one. Whether it still is to be sent is judged when it is.
pub async fn retry(op: &Op<Write>, id: NotificationId) -> Result<Model> {
    op.require(Permission::NOTIFICATION_MANAGE)?;
    let found = Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(op.db()).await?;
    let found = found.ok_or_else(|| Violation::unknown("id"))?;
    let status = step_here(op, "notification", "notificationRetry", &found.status).await?;
    let row = ActiveModel {
        id: Unchanged(id),
        status: Set(status),
        last_attempt: Set(found.attempts.saturating_add(MAX_ATTEMPTS)),
        next_attempt_at: Set(op.now()),
        reason: Set(None),
        ..Default::default()
    };
    let revived = Entity::update(row).exec(op.db()).await?;
    op.wake(Queue::Notices, op.now());
    let entry = Entry::done("notification.retry").on("Notification", id.0, revived.version);
    op.record(match revived.patient_id {
        Some(patient) => entry.of(patient.0),
        None => entry,
    });
    Ok(revived)
}
