//! Holds that nobody took up: their time is free again.
//!
//! Whoever books removes those in the way, in the same transaction; a job removes the others. One that somebody is
//! just confirming or cancelling is left to them.

use praxis_entity::{
    appointment::{self, AppointmentStatus, Column, Entity},
    ids::AppointmentId,
};
use praxis_platform::{Op, Write, audit::Entry, literal::Literal};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, LockBehavior, LockType},
};
use uuid::Uuid;

use super::{hold, slots::Span, tell};
use crate::{Result, page::any_of, rows::entry_of};

/// How many holds are removed at once.
const AT_ONCE: u64 = 500;

/// Removes holds that have run out. How many there were.
pub async fn expire_holds(op: &Op<Write>) -> Result<usize> {
    let ran_out = Entity::find()
        .filter(Column::Status.is(AppointmentStatus::Pending))
        .filter(Column::HoldExpiresAt.lte(op.now()))
        .order_by_asc(Column::HoldExpiresAt)
        .limit(AT_ONCE);
    remove(op, ran_out).await
}

/// Removes one hold, if it has run out.
pub async fn expire_hold(op: &Op<Write>, id: AppointmentId) -> Result<usize> {
    let ran_out = Entity::find_by_id(id)
        .filter(Column::Status.is(AppointmentStatus::Pending))
        .filter(Column::HoldExpiresAt.lte(op.now()));
    remove(op, ran_out).await
}

/// Removes the holds that have run out and stand in the way of a visit.
pub(super) async fn in_the_way(op: &Op<Write>, resources: &[Uuid], span: Span) -> Result<()> {
    let held = Expr::cust_with_values(
        "id IN (SELECT r.appointment_id FROM appointment_resource r WHERE r.blocking AND r.resource_id = ANY($1) AND tstzrange(r.busy_from, r.busy_until, '[)') && tstzrange($2, $3, '[)'))",
        [sea_orm::Value::from(resources.to_vec()), span.from.into(), span.until.into()],
    );
    let ran_out = Entity::find()
        .filter(Column::Status.is(AppointmentStatus::Pending))
        .filter(Column::HoldExpiresAt.lte(op.now()))
        .filter(held);
    remove(op, ran_out).await.map(drop)
}

async fn remove(op: &Op<Write>, ran_out: sea_orm::Select<Entity>) -> Result<usize> {
    let rows = ran_out
        .order_by_asc(Column::Id)
        .lock_with_behavior(LockType::NoKeyUpdate, LockBehavior::SkipLocked)
        .all(op.db())
        .await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let ids: Vec<AppointmentId> = rows.iter().map(|row| row.id).collect();
    let expired: Vec<appointment::Model> = Entity::update_many()
        .col_expr(Column::Status, Expr::value(AppointmentStatus::Expired))
        .filter(any_of(Column::Id, ids.iter().map(|id| id.0).collect()))
        .exec_with_returning(op.db())
        .await?;
    hold::release(op, &ids).await?;
    let patients: Vec<_> = expired.iter().map(|row| row.patient_id).collect();
    op.record(match expired.as_slice() {
        [one] => {
            Entry::done("appointment.expire").on("Appointment", one.id.0, one.version).of(one.patient_id.0)
        }
        _ => entry_of("appointment.expire", &patients),
    });
    for row in &expired {
        tell::expired(op, row).await?;
    }
    Ok(expired.len())
}
