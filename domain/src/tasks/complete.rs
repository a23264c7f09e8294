//! Saying what came of a task.

use praxis_entity::{
    ids::TaskId,
    task::{self, TaskOutcome, TaskStatus},
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

/// What came of a task.
#[derive(Debug, Clone)]
pub struct CompleteTask {
    /// The outcome. What was not possible has failed; everything else is completed.
    pub outcome: TaskOutcome,
    /// More about it, in words.
    pub result: Option<String>,
}

/// Ends a task with its outcome.
pub async fn complete(
    op: &Op<Write>,
    id: TaskId,
    if_version: i32,
    done: CompleteTask,
) -> Result<task::Model> {
    let mut found = Violations::default();
    let result = check::words(&mut found, "result", done.result.as_deref());
    found.check()?;
    let status = match done.outcome {
        TaskOutcome::NotPossible => TaskStatus::Failed,
        TaskOutcome::Done | TaskOutcome::PartlyDone | TaskOutcome::NotNeeded => TaskStatus::Completed,
    };
    let stored = check::ready(op, (id, if_version), Permission::TASK_WORK, "taskComplete").await?;
    let words = match result {
        Some(_) => check::reworded(op, &stored, |words| TaskWords { result, ..words }).await?,
        None => stored.words.clone(),
    };
    let change = task::ActiveModel {
        status: Set(status),
        outcome: Set(Some(done.outcome)),
        ended_at: Set(Some(op.now())),
        words: Set(words),
        ..Default::default()
    };
    let ended = check::change(op, &stored, change, "task.complete").await?;
    let (patient, encounter) = (ended.patient_id, ended.encounter_id);
    let event = if ended.status == TaskStatus::Failed {
        Event::TaskFailed { task: id, patient, encounter }
    } else {
        Event::TaskCompleted { task: id, patient, encounter }
    };
    event::happened(op, event).await?;
    Ok(ended)
}
