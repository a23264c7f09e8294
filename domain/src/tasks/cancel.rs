//! Calling a task off.

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

/// Calls off what is no longer wanted.
pub async fn cancel(
    op: &Op<Write>,
    id: TaskId,
    if_version: i32,
    reason: Option<&str>,
) -> Result<task::Model> {
    let mut found = Violations::default();
    let reason = check::words(&mut found, "reason", reason);
    found.check()?;
    let stored = check::ready(op, (id, if_version), Permission::TASK_CREATE, "taskCancel").await?;
    let words = match reason {
        Some(_) => check::reworded(op, &stored, |words| TaskWords { reason, ..words }).await?,
        None => stored.words.clone(),
    };
    let change = task::ActiveModel {
        status: Set(TaskStatus::Cancelled),
        ended_at: Set(Some(op.now())),
        words: Set(words),
        ..Default::default()
    };
    let changed = check::change(op, &stored, change, "task.cancel").await?;
    let (patient, encounter) = (changed.patient_id, changed.encounter_id);
    event::happened(op, Event::TaskCancelled { task: id, patient, encounter }).await?;
    Ok(changed)
}
