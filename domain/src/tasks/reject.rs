//! Turning a task down.

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

/// Turns a task down that was asked of oneself, and says why.
pub async fn reject(op: &Op<Write>, id: TaskId, if_version: i32, reason: &str) -> Result<task::Model> {
    let mut found = Violations::default();
    let reason = check::reason(&mut found, reason);
    found.check()?;
    let stored = check::ready(op, (id, if_version), Permission::TASK_WORK, "taskReject").await?;
    let words = check::reworded(op, &stored, |words| TaskWords { reason, ..words }).await?;
    let change = task::ActiveModel {
        status: Set(TaskStatus::Rejected),
        ended_at: Set(Some(op.now())),
        words: Set(words),
        ..Default::default()
    };
    let changed = check::change(op, &stored, change, "task.reject").await?;
    let (patient, encounter) = (changed.patient_id, changed.encounter_id);
    event::happened(op, Event::TaskRejected { task: id, patient, encounter }).await?;
    Ok(changed)
}
