//! What several verbs ask of a task before they change it, and how they do.

use praxis_entity::{
    ids::{PatientId, TaskId},
    task::{self, Column},
    value::{Sealed, TaskWords},
};
use praxis_platform::{
    Op, Write,
    access::{Permission, Row},
    audit::Entry,
    vault::DataKey,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use std::sync::Arc;
use uuid::Uuid;

use super::who;
use crate::{
    Detail, Result, Violation, ViolationCode, clinic::text, error::Violations, rights,
    transitions::step_among,
};

/// The longest that somebody writes about a task.
const LONGEST_TEXT: usize = 2_000;

/// A text in words; an empty one counts as absent.
pub(super) fn words(found: &mut Violations, name: &str, given: Option<&str>) -> Option<String> {
    text::optional_line(found, &[name], given, LONGEST_TEXT)
}

/// Why, in words; has to be said.
pub(super) fn reason(found: &mut Violations, given: &str) -> Option<String> {
    Some(text::line(found, &["reason"], given, LONGEST_TEXT))
}

/// The task at the version that the caller has seen, if its status allows the action and it is the caller's turn.
pub(super) async fn ready(
    op: &Op<Write>,
    (id, if_version): (TaskId, i32),
    permission: Permission,
    action: &str,
) -> Result<task::Model> {
    let stored = at_version(op, permission, id, if_version).await?;
    let (of, turn) =
        ((stored.patient_id, &Row::from(&stored)), |action: &str| who::is_turn(op.actor(), &stored, action));
    let _: task::TaskStatus = step_among(op, "task", action, &stored.status, of, turn).await?;
    who::require(op.actor(), &stored, action)?;
    Ok(stored)
}

/// The task at the version that the caller has seen, if the caller may do this with it.
async fn at_version(
    op: &Op<Write>,
    permission: Permission,
    id: TaskId,
    if_version: i32,
) -> Result<task::Model> {
    op.require(permission)?;
    let stored = task::Entity::find_by_id(id).one(op.db()).await?;
    let stored =
        stored.ok_or_else(|| Violation::at(ViolationCode::NotFound, &["id"], "There is no such task."))?;
    if let Some(patient) = stored.patient_id {
        let seen = Permission::TASK_READ;
        rights::require(op, permission, seen, patient, &Row::from(&stored), "id").await?;
    }
    if stored.version == if_version { Ok(stored) } else { Err(outdated(stored.version).into()) }
}

/// Changes the task if it still is at the version that was seen: of several at once, the first one does.
pub(super) async fn change(
    op: &Op<Write>,
    stored: &task::Model,
    change: task::ActiveModel,
    action: &'static str,
) -> Result<task::Model> {
    let update = task::Entity::update_many()
        .set(change)
        .filter(Column::Id.eq(stored.id))
        .filter(Column::Version.eq(stored.version));
    let Some(changed) = update.exec_with_returning(op.db()).await?.pop() else {
        let now = task::Entity::find_by_id(stored.id).one(op.db()).await?;
        return Err(outdated(now.map_or(stored.version, |now| now.version)).into());
    };
    record(op, action, &changed);
    Ok(changed)
}

/// Notes what was done to a task.
pub(super) fn record(op: &Op<Write>, action: &'static str, task: &task::Model) {
    let entry = Entry::done(action).on("Task", task.id.0, task.version);
    op.record(Entry { patients: task.patient_id.into_iter().map(|patient| patient.0).collect(), ..entry });
}

/// Whose key seals a task's words: its patient's, or else the clinic's own.
pub(super) async fn key(op: &Op<Write>, patient: Option<PatientId>) -> Result<(Uuid, Arc<DataKey>)> {
    Ok(match patient {
        Some(patient) => (patient.0, op.data_key(patient.0).await?),
        None => (op.tenant().uuid(), op.clinic_key().await?),
    })
}

/// What is written about a task, with something added.
pub(super) async fn reworded(
    op: &Op<Write>,
    task: &task::Model,
    with: impl FnOnce(TaskWords) -> TaskWords,
) -> Result<Option<Sealed<TaskWords>>> {
    let (subject, key) = key(op, task.patient_id).await?;
    let place = op.place("task", task.id.0, subject);
    let before = match &task.words {
        Some(words) => op.open_unseen(&key, &place, words).await?,
        None => TaskWords::default(),
    };
    let after = with(before.clone());
    if after == before {
        return Ok(task.words.clone());
    }
    Ok(Some(op.seal(&key, &place, &after)?))
}

fn outdated(current: i32) -> Violation {
    let message = "Somebody else changed this task meanwhile.";
    Violation::at(ViolationCode::VersionConflict, &["ifVersion"], message).with(Detail::Version { current })
}
