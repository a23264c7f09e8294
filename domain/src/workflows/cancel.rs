//! Calling a workflow off.

use praxis_entity::{
    ids::WorkflowInstanceId,
    workflow_instance::{self, InstanceStatus},
};
use praxis_platform::{
    Op, Write,
    access::{Permission, Row},
};
use sea_orm::{EntityTrait, QuerySelect, sea_query::LockType};

use super::{react::end, read};
use crate::{Result, Violation, ViolationCode, rights, tasks, transitions::step};

/// Calls off a workflow that runs, and what is left of it.
pub async fn cancel(
    op: &Op<Write>,
    id: WorkflowInstanceId,
    if_version: i32,
) -> Result<workflow_instance::Model> {
    op.require(Permission::TASK_ASSIGN)?;
    let stored = workflow_instance::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(op.db()).await?;
    let stored = stored
        .ok_or_else(|| Violation::at(ViolationCode::NotFound, &["id"], "There is no such workflow."))?;
    let row = stored.patient_id.map_or_else(Row::default, |patient| read::row(&stored, patient));
    if let Some(patient) = stored.patient_id {
        rights::require(op, Permission::TASK_ASSIGN, Permission::TASK_READ, patient, &row, "id").await?;
    }
    if stored.version != if_version {
        return Err(read::outdated(stored.version).into());
    }
    let of = (stored.patient_id, &row);
    let to: InstanceStatus = step(op, "workflow_instance", "workflowCancel", &stored.status, of).await?;
    let cancelled = end(op, &stored, to).await?;
    tasks::react::workflow_over(op, id).await?;
    Ok(cancelled)
}
