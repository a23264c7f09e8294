//! Calling a workflow off.

use praxis_entity::{
    ids::WorkflowInstanceId,
    workflow_instance::{self, InstanceStatus},
};
use praxis_platform::{Op, Write, access::Permission};
use sea_orm::{EntityTrait, QuerySelect, sea_query::LockType};

use super::{react::end, read};
use crate::{Result, Violation, ViolationCode, rights, tasks, transitions::Machine};

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
    if let Some(patient) = stored.patient_id {
        let row = read::row(&stored, patient);
        rights::require(op, Permission::TASK_ASSIGN, Permission::TASK_READ, patient, &row, "id").await?;
    }
    if stored.version != if_version {
        return Err(read::outdated(stored.version).into());
    }
    let machine = Machine::load(op, "workflow_instance").await?;
    if machine.leads(&stored.status, "workflowCancel").is_none() {
        return Err(machine.refusal(&stored.status, |asked| op.actor().may(asked)).into());
    }
    let cancelled = end(op, &stored, InstanceStatus::Cancelled).await?;
    tasks::react::workflow_over(op, id).await?;
    Ok(cancelled)
}
