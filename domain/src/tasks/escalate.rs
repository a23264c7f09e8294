//! What time brings: a task that is late is brought to mind, each time louder.

use chrono::{DateTime, TimeDelta, Utc};
use praxis_entity::{
    ids::TaskId,
    task::{self, Column},
    task_escalation,
};
use praxis_platform::{Op, Write};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{LockType, OnConflict},
};

use super::{check, filter::is_open};
use crate::{
    Result,
    event::{self, Event},
    jobs::{self, Work},
};

/// How long after it was due: first whoever does it is reminded, then those who lead, twice.
const AFTER: [TimeDelta; 3] = [TimeDelta::zero(), TimeDelta::minutes(30), TimeDelta::hours(4)];

/// Sees to it that the task is brought to mind when it is late.
pub(super) async fn watch(op: &Op<Write>, task: &task::Model) -> Result<()> {
    match task.due_at {
        Some(due_at) => remind(op, task.id, 1, due_at).await,
        None => Ok(()),
    }
}

async fn remind(op: &Op<Write>, task: TaskId, level: i16, due_at: DateTime<Utc>) -> Result<()> {
    let step = usize::try_from(level).ok().and_then(|level| level.checked_sub(1));
    let Some(after) = step.and_then(|step| AFTER.get(step)) else { return Ok(()) };
    let key = format!("{task} {level} {}", due_at.timestamp_micros());
    jobs::enqueue(op, Work::EscalateTask { task, level, due_at }, due_at + *after, &key).await
}

/// Brings a task to mind that is still open and still due at that time; each level once.
pub async fn escalate(op: &Op<Write>, id: TaskId, level: i16, due_at: DateTime<Utc>) -> Result<()> {
    let late = task::Entity::find_by_id(id).filter(is_open()).filter(Column::DueAt.eq(due_at));
    let Some(task) = late.lock(LockType::NoKeyUpdate).one(op.db()).await? else { return Ok(()) };
    let row = task_escalation::ActiveModel {
        task_id: Set(id),
        level: Set(level),
        at: Set(op.now()),
        due_at: Set(due_at),
    };
    let once = OnConflict::new().do_nothing().to_owned();
    let new = task_escalation::Entity::insert_many([row]).on_conflict(once);
    if !new.exec_with_returning(op.db()).await?.is_empty() {
        let (patient, encounter) = (task.patient_id, task.encounter_id);
        event::happened(op, Event::TaskEscalated { task: id, patient, encounter, level }).await?;
        check::record(op, "task.escalate", &task);
    }
    remind(op, id, level + 1, due_at).await
}
