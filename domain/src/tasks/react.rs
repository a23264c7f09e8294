//! What follows for tasks from what happens elsewhere.

use praxis_entity::{
    ids::WorkflowInstanceId,
    task::{self, Column, TaskStatus},
};
use praxis_platform::{Op, Write};
use sea_orm::{ActiveEnum, ColumnTrait, Condition, EntityTrait, QueryFilter, sea_query::Expr};

use super::{check, filter::is_open};
use crate::{
    Result,
    event::{self, Event, Recorded},
};

/// A visit was called off: nothing of it is to be done any more.
pub async fn visit_cancelled(op: &Op<Write>, recorded: &Recorded) -> Result<()> {
    match recorded.event.encounter() {
        Some(encounter) => call_off(op, Condition::all().add(Column::EncounterId.eq(encounter))).await,
        None => Ok(()),
    }
}

/// A workflow is over: what is left of it is not to be done any more.
pub(crate) async fn workflow_over(op: &Op<Write>, instance: WorkflowInstanceId) -> Result<()> {
    call_off(op, Condition::all().add(Column::InstanceId.eq(instance))).await
}

/// All rows first, then all events: those wait for the visit, and nobody who holds the visit waits for a task.
async fn call_off(op: &Op<Write>, which: Condition) -> Result<()> {
    let cancelled = task::Entity::update_many()
        .col_expr(Column::Status, Expr::value(TaskStatus::Cancelled.to_value()))
        .col_expr(Column::EndedAt, Expr::value(op.now()))
        .filter(is_open().add(which))
        .exec_with_returning(op.db())
        .await?;
    let mut events = Vec::with_capacity(cancelled.len());
    for row in &cancelled {
        check::record(op, "task.cancel", row);
        let (task, patient, encounter) = (row.id, row.patient_id, row.encounter_id);
        events.push(Event::TaskCancelled { task, patient, encounter });
    }
    event::all_happened(op, events).await
}
