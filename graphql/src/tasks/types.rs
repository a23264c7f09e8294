//! The task.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use praxis_domain::{Position, Slice, tasks};
use praxis_entity::{task, value::TaskWords};
use sea_orm::ActiveEnum;

use crate::{
    allowed,
    context::Ask,
    encounters::Encounter,
    error::{ApiError, Edge, Nullable},
    ids,
    node::{self, Node},
    page::{Count, Cursors, Page, connection},
    patients::Patient,
    phi::{Class, Phi},
    policy::at,
    redaction::{self, Redaction},
    scalar::DateTime,
    subject::Subject,
};

/// How soon, in FHIR's words.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "task::TaskPriority")]
pub(crate) enum TaskPriority {
    /// In its turn.
    Routine,
    /// Before what is routine.
    Urgent,
    /// As soon as possible.
    Asap,
    /// At once.
    Stat,
}

/// Where a task stands.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "task::TaskStatus")]
pub(crate) enum TaskStatus {
    /// Asked for; nobody has taken it on.
    Requested,
    /// Somebody has taken it on.
    Accepted,
    /// Somebody is at it.
    InProgress,
    /// Interrupted.
    OnHold,
    /// Done, with an outcome.
    Completed,
    /// Tried, and not possible.
    Failed,
    /// Whoever was asked does not do it.
    Rejected,
    /// No longer wanted.
    Cancelled,
}

/// What came of a task.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "task::TaskOutcome")]
pub(crate) enum TaskOutcome {
    /// It was done.
    Done,
    /// Some of it was done.
    PartlyDone,
    /// It turned out that nothing had to be done.
    NotNeeded,
    /// It could not be done: the task has failed.
    NotPossible,
}

/// Something that somebody has to do.
pub(crate) struct Task {
    row: task::Model,
    subject: Arc<Subject>,
    words: Option<Arc<Class<TaskWords>>>,
}

impl Task {
    pub(crate) fn new(row: task::Model) -> Self {
        let subject = match row.patient_id {
            Some(patient) => Subject::new(patient, &row),
            None => Subject::of_the_clinic(),
        };
        let words = row.words.clone().map(|words| Class::new("task", row.id.0, &subject, words));
        Self { row, subject, words }
    }
}

/// Something that somebody has to do.
#[Object]
impl Task {
    /// Opaque id.
    pub(crate) async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// Grows by one on each write; send it back as `ifVersion`.
    pub(crate) async fn version(&self) -> i32 {
        self.row.version
    }

    /// When it was asked for.
    pub(crate) async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// When it last changed.
    pub(crate) async fn updated_at(&self) -> DateTime {
        DateTime(self.row.updated_at)
    }

    /// Fields that came back null for a reason other than 'no value'.
    pub(crate) async fn redactions(&self, ctx: &Context<'_>) -> Result<Vec<Redaction>, ApiError> {
        redaction::of(ctx.caller()?, "Task", &self.subject, self.words.is_some()).await
    }

    /// What the viewer may do with it: permission codes.
    async fn viewer_permissions(&self, ctx: &Context<'_>) -> Result<Vec<&'static str>, ApiError> {
        self.subject.permissions(ctx.caller()?).await
    }

    /// Names of the mutations that the viewer may run on the task as it stands.
    async fn allowed_actions(&self, ctx: &Context<'_>) -> Result<Vec<String>, ApiError> {
        let caller = ctx.caller()?;
        let mut open = allowed::actions(caller, "task", &self.subject, &self.row.status.to_value()).await?;
        open.retain(|action| tasks::is_turn(caller.actor(), &self.row, action));
        Ok(open)
    }

    /// Whom it concerns.
    async fn patient(&self, ctx: &Context<'_>) -> Nullable<Patient> {
        async {
            let Some(id) = self.row.patient_id else { return Ok(None) };
            Ok(ctx.caller()?.loaders().patients.load(id).await?.map(Patient::new))
        }
        .await
        .or_hidden()
    }

    /// The visit it belongs to.
    async fn encounter(&self, ctx: &Context<'_>) -> Nullable<Encounter> {
        async {
            let Some(id) = self.row.encounter_id else { return Ok(None) };
            Ok(ctx.caller()?.loaders().encounters.load(id).await?.map(Encounter::new))
        }
        .await
        .or_hidden()
    }

    /// What it is about.
    async fn focus(&self, ctx: &Context<'_>) -> Nullable<Node> {
        async {
            match tasks::Focus::stored(&self.row) {
                Some(id) => node::find(ctx.caller()?, id).await,
                None => Ok(None),
            }
        }
        .await
        .or_hidden()
    }

    /// What kind of task, from the clinic's own list: `ORDER`, `CALL_BACK` …
    fn code(&self) -> &str {
        &self.row.code
    }

    /// How soon.
    fn priority(&self) -> TaskPriority {
        self.row.priority.into()
    }

    /// Where it stands.
    fn status(&self) -> TaskStatus {
        self.row.status.into()
    }

    /// Opaque id of the user who was asked, or has taken it on.
    fn owner_id(&self) -> Option<ID> {
        self.row.owner_id.map(ids::show)
    }

    /// Name of the user who was asked, or has taken it on.
    async fn owner_name(&self, ctx: &Context<'_>) -> Nullable<String> {
        async {
            let Some(id) = self.row.owner_id else { return Ok(None) };
            ctx.caller()?.loaders().actor_names.load(id.0).await
        }
        .await
        .transpose()
    }

    /// Code of the role that may take it on.
    fn role(&self) -> Option<&str> {
        self.row.role_code.as_deref()
    }

    /// Opaque id of the user who asked for it; null where a workflow or rule did.
    fn requested_by_id(&self) -> Option<ID> {
        self.row.requested_by.map(ids::show)
    }

    /// Name of the user who asked for it.
    async fn requested_by_name(&self, ctx: &Context<'_>) -> Nullable<String> {
        async {
            let Some(id) = self.row.requested_by else { return Ok(None) };
            ctx.caller()?.loaders().actor_names.load(id.0).await
        }
        .await
        .transpose()
    }

    /// By when.
    fn due_at(&self) -> Option<DateTime> {
        self.row.due_at.map(DateTime)
    }

    /// Whether it is late: still open after it was due.
    fn overdue(&self, ctx: &Context<'_>) -> Result<bool, ApiError> {
        let now = ctx.caller()?.reading().now();
        Ok(self.row.status.is_open() && self.row.due_at.is_some_and(|due| due < now))
    }

    /// When somebody first began.
    fn started_at(&self) -> Option<DateTime> {
        self.row.started_at.map(DateTime)
    }

    /// When it was over.
    fn ended_at(&self) -> Option<DateTime> {
        self.row.ended_at.map(DateTime)
    }

    /// What came of it.
    fn outcome(&self) -> Option<TaskOutcome> {
        self.row.outcome.map(Into::into)
    }

    /// What is to be done, in words.
    fn description(&self) -> Phi<TaskWords, String> {
        Phi::optional(at!("Task.description"), self.words.as_ref(), |words| words.description.clone())
    }

    /// More about what came of it, in words.
    fn result(&self) -> Phi<TaskWords, String> {
        Phi::optional(at!("Task.result"), self.words.as_ref(), |words| words.result.clone())
    }

    /// Why it waits, was turned down or called off, in words.
    fn reason(&self) -> Phi<TaskWords, String> {
        Phi::optional(at!("Task.reason"), self.words.as_ref(), |words| words.reason.clone())
    }
}

connection!(
    /// A page of tasks.
    TaskConnection, TaskEdge, Task
);

impl TaskConnection {
    /// Builds the page of a list ordered as asked.
    pub(crate) fn of_slice(
        slice: Slice<task::Model>,
        order: tasks::TaskOrder,
        cursors: Cursors,
        count: Count,
    ) -> Self {
        let position: fn(&task::Model) -> Position = match order {
            tasks::TaskOrder::DueAt => |row| Position { key: row.due_at, id: row.id.0 },
            tasks::TaskOrder::Newest => |row| Position { key: None, id: row.id.0 },
        };
        Self::new(Page::new(slice, cursors, position, Task::new), count)
    }
}

/// How many open tasks the viewer may see.
#[derive(SimpleObject)]
pub(crate) struct TaskCounts {
    /// Asked of the viewer, or taken on by them.
    mine: i64,
    /// Of the viewer's roles, and taken on by nobody.
    my_roles: i64,
    /// Taken on by nobody, of whomever they were asked.
    unclaimed: i64,
    /// The viewer's own, and late.
    overdue: i64,
}

impl From<tasks::TaskCounts> for TaskCounts {
    fn from(counts: tasks::TaskCounts) -> Self {
        let tasks::TaskCounts { mine, my_roles, unclaimed, overdue } = counts;
        Self { mine, my_roles, unclaimed, overdue }
    }
}
