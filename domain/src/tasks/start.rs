//! Beginning with a task.

use praxis_entity::{
    ids::TaskId,
    task::{self, TaskStatus},
};
use praxis_platform::{Op, Write, access::Permission};
use sea_orm::ActiveValue::Set;

use super::check;
use crate::{
    Result,
    event::{self, Event},
};

/// Begins with a task that was taken on.
pub async fn start(op: &Op<Write>, id: TaskId, if_version: i32) -> Result<task::Model> {
    let stored = check::ready(op, (id, if_version), Permission::TASK_WORK, "taskStart").await?;
    let change = task::ActiveModel {
        status: Set(TaskStatus::InProgress),
        started_at: Set(stored.started_at.or(Some(op.now()))),
        ..Default::default()
    };
    let changed = check::change(op, &stored, change, "task.start").await?;
    let (patient, encounter) = (changed.patient_id, changed.encounter_id);
    event::happened(op, Event::TaskStarted { task: id, patient, encounter }).await?;
    Ok(changed)
}
