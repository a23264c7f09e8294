//! Interrupting a task, and going on with it.

use praxis_entity::{
    ids::TaskId,
    task::{self, TaskStatus},
    value::TaskWords,
};
use praxis_platform::{Op, Write, access::Permission};
use sea_orm::ActiveValue::Set;

use super::check;
use crate::{
    Result,
    error::Violations,
    event::{self, Event},
};

/// Lets a task wait, and says for what.
pub async fn hold(op: &Op<Write>, id: TaskId, if_version: i32, reason: &str) -> Result<task::Model> {
    let mut found = Violations::default();
    let reason = check::reason(&mut found, reason);
    found.check()?;
    let stored = check::ready(op, (id, if_version), Permission::TASK_WORK, "taskHold").await?;
    let words = check::reworded(op, &stored, |words| TaskWords { reason, ..words }).await?;
    let change =
        task::ActiveModel { status: Set(TaskStatus::OnHold), words: Set(words), ..Default::default() };
    let held = check::change(op, &stored, change, "task.hold").await?;
    let (patient, encounter) = (held.patient_id, held.encounter_id);
    event::happened(op, Event::TaskHeld { task: id, patient, encounter }).await?;
    Ok(held)
}

/// Goes on with a task that waited.
pub async fn resume(op: &Op<Write>, id: TaskId, if_version: i32) -> Result<task::Model> {
    let stored = check::ready(op, (id, if_version), Permission::TASK_WORK, "taskResume").await?;
    let change = task::ActiveModel { status: Set(TaskStatus::InProgress), ..Default::default() };
    let resumed = check::change(op, &stored, change, "task.resume").await?;
    let (patient, encounter) = (resumed.patient_id, resumed.encounter_id);
    event::happened(op, Event::TaskResumed { task: id, patient, encounter }).await?;
    Ok(resumed)
}
