//! What is asked about tasks and told of them.

use async_graphql::{Enum, ID, InputObject, OneofObject};
use praxis_domain::{StatusSet, tasks};
use praxis_entity::ids::AnyId;

use super::types::{TaskOutcome, TaskPriority, TaskStatus};
use crate::{
    error::{ApiError, Code},
    ids,
    patients::{DateTimeFilter, IdFilter},
    scalar::DateTime,
};

/// The viewer's own view of what is open.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "tasks::Inbox")]
pub(crate) enum TaskInbox {
    /// Asked of the viewer by name, or taken on by them.
    Mine,
    /// Asked of a role that the viewer holds, and taken on by nobody.
    MyRoles,
    /// Taken on by nobody, of whomever it was asked.
    Unclaimed,
}

/// By what tasks are ordered.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "tasks::TaskOrder")]
pub(crate) enum TaskOrder {
    /// The one that is due first; those without a time last.
    DueAt,
    /// The newest first.
    Newest,
}

/// Which tasks. What is given side by side must all hold.
#[derive(InputObject, Debug, Clone, Default)]
pub(crate) struct TaskFilter {
    /// The viewer's own view; only what is open.
    inbox: Option<TaskInbox>,
    /// In one of these statuses.
    status: Option<Vec<TaskStatus>>,
    /// With one of these priorities.
    priority: Option<Vec<TaskPriority>>,
    /// Of one of these kinds.
    code: Option<Vec<String>>,
    /// Asked of one of these roles, by code.
    role: Option<Vec<String>>,
    /// Asked of, or taken on by, these users.
    owner: Option<IdFilter>,
    /// Of these patients.
    patient: Option<IdFilter>,
    /// Of these visits.
    encounter: Option<IdFilter>,
    /// When they are due.
    due_at: Option<DateTimeFilter>,
    /// Open and late, or not.
    overdue: Option<bool>,
}

impl TryFrom<TaskFilter> for tasks::TaskFilter {
    type Error = ApiError;

    fn try_from(filter: TaskFilter) -> Result<Self, ApiError> {
        let all = |statuses: Vec<TaskStatus>| statuses.into_iter().map(Into::into).collect();
        let priorities = |list: Vec<TaskPriority>| list.into_iter().map(Into::into).collect();
        Ok(Self {
            inbox: filter.inbox.map(Into::into),
            status: StatusSet { eq_any: filter.status.map(all), not_any: None },
            priority: filter.priority.map(priorities),
            code: filter.code,
            role: filter.role,
            owner: filter.owner.map(IdFilter::ids).transpose()?.flatten(),
            patient: filter.patient.map(IdFilter::ids).transpose()?.flatten(),
            encounter: filter.encounter.map(IdFilter::ids).transpose()?.flatten(),
            due_at: filter.due_at.unwrap_or_default().into(),
            overdue: filter.overdue,
        })
    }
}

/// Something to be done.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct TaskCreateInput {
    /// What kind of task, 2 to 40 capitals, digits and underscores: `ORDER`, `CALL_BACK` …
    code: String,
    /// Whom it concerns; follows from visit or focus where one is given.
    patient_id: Option<ID>,
    /// The visit it belongs to.
    encounter_id: Option<ID>,
    /// What it is about: a patient, appointment, encounter, observation or condition.
    focus_id: Option<ID>,
    /// How soon.
    #[graphql(default_with = "TaskPriority::Routine")]
    priority: TaskPriority,
    /// The user who is asked; somebody else is asked by those who may assign.
    owner_id: Option<ID>,
    /// The role that is asked, by code.
    role: Option<String>,
    /// By when.
    due_at: Option<DateTime>,
    /// What is to be done, in words.
    description: Option<String>,
}

impl TryFrom<TaskCreateInput> for tasks::NewTask {
    type Error = ApiError;

    fn try_from(input: TaskCreateInput) -> Result<Self, ApiError> {
        Ok(Self {
            code: input.code,
            patient: input.patient_id.as_ref().map(ids::parse).transpose()?,
            encounter: input.encounter_id.as_ref().map(ids::parse).transpose()?,
            focus: input.focus_id.as_ref().map(focus).transpose()?,
            priority: input.priority.into(),
            owner: input.owner_id.as_ref().map(ids::parse).transpose()?,
            role: input.role,
            due_at: input.due_at.map(|due| due.0),
            description: input.description,
            step: None,
        })
    }
}

fn focus(id: &ID) -> Result<tasks::Focus, ApiError> {
    let parsed: Option<AnyId> = id.as_str().parse().ok();
    parsed.and_then(tasks::Focus::of).ok_or_else(|| {
        ApiError::new(Code::BadUserInput, "This is not an id of anything that a task is about.")
    })
}

/// Who is to do a task.
#[derive(OneofObject, Debug, Clone)]
pub(crate) enum TaskAssigneeInput {
    /// One user.
    UserId(ID),
    /// Whoever holds this role, by code.
    Role(String),
}

impl TryFrom<TaskAssigneeInput> for tasks::AssignTo {
    type Error = ApiError;

    fn try_from(to: TaskAssigneeInput) -> Result<Self, ApiError> {
        Ok(match to {
            TaskAssigneeInput::UserId(id) => Self::User(ids::parse(&id)?),
            TaskAssigneeInput::Role(role) => Self::Role(role),
        })
    }
}

/// A task, and who is to do it from now on.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct TaskAssignInput {
    /// The task.
    pub(crate) id: ID,
    /// The version that was read.
    pub(crate) if_version: i32,
    /// Who is to do it.
    pub(crate) to: TaskAssigneeInput,
}

/// A task to take on.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct TaskClaimInput {
    /// The task.
    pub(crate) id: ID,
    /// The version that was read.
    pub(crate) if_version: i32,
}

/// A task to begin with.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct TaskStartInput {
    /// The task.
    pub(crate) id: ID,
    /// The version that was read.
    pub(crate) if_version: i32,
}

/// A task that has to wait.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct TaskHoldInput {
    /// The task.
    pub(crate) id: ID,
    /// The version that was read.
    pub(crate) if_version: i32,
    /// For what it waits, in words.
    pub(crate) reason: String,
}

/// A task to go on with.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct TaskResumeInput {
    /// The task.
    pub(crate) id: ID,
    /// The version that was read.
    pub(crate) if_version: i32,
}

/// A task, and what came of it.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct TaskCompleteInput {
    /// The task.
    pub(crate) id: ID,
    /// The version that was read.
    pub(crate) if_version: i32,
    /// What came of it.
    pub(crate) outcome: TaskOutcome,
    /// More about it, in words.
    pub(crate) result: Option<String>,
}

/// A task to turn down.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct TaskRejectInput {
    /// The task.
    pub(crate) id: ID,
    /// The version that was read.
    pub(crate) if_version: i32,
    /// Why, in words.
    pub(crate) reason: String,
}

/// A task to call off.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct TaskCancelInput {
    /// The task.
    pub(crate) id: ID,
    /// The version that was read.
    pub(crate) if_version: i32,
    /// Why, in words.
    pub(crate) reason: Option<String>,
}
