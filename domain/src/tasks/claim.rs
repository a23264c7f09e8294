//! Taking a task on.

use praxis_entity::{
    ids::TaskId,
    task::{self, TaskStatus},
};
use praxis_platform::{Failure, Op, Write, access::Permission};
use sea_orm::ActiveValue::Set;

use super::check;
use crate::{
    Result,
    event::{self, Event},
};

/// Takes a task on. Of any number who try at the version they saw, one gets it; the others are told the new one.
pub async fn claim(op: &Op<Write>, id: TaskId, if_version: i32) -> Result<task::Model> {
    let me = op.actor().user.ok_or(Failure::Forbidden(Permission::TASK_WORK))?;
    let stored = check::ready(op, (id, if_version), Permission::TASK_WORK, "taskClaim").await?;
    let change = task::ActiveModel {
        status: Set(TaskStatus::Accepted),
        owner_id: Set(Some(me)),
        ..Default::default()
    };
    let changed = check::change(op, &stored, change, "task.claim").await?;
    let (patient, encounter) = (changed.patient_id, changed.encounter_id);
    event::happened(op, Event::TaskClaimed { task: id, patient, encounter }).await?;
    Ok(changed)
}
