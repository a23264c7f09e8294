//! The workflow, and what runs of it.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use praxis_entity::{workflow_definition, workflow_instance, workflow_step};
use praxis_platform::access::Row;
use sea_orm::ActiveEnum;

use crate::{
    allowed,
    context::Ask,
    encounters::Encounter,
    error::{ApiError, Edge, Nullable},
    ids,
    patients::Patient,
    scalar::DateTime,
    subject::Subject,
    tasks::{Task, TaskPriority},
};

/// Where an edition of a workflow stands.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "workflow_definition::WorkflowStatus")]
pub(crate) enum WorkflowDefinitionStatus {
    /// Written.
    Draft,
    /// Can be started.
    Active,
    /// Out of use; what runs goes on.
    Retired,
}

/// Where a workflow stands.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "workflow_instance::InstanceStatus")]
pub(crate) enum WorkflowInstanceStatus {
    /// Something is still to be done.
    Running,
    /// All that was to be done is done.
    Completed,
    /// A step was turned down, called off or not possible.
    Failed,
    /// Called off.
    Cancelled,
}

/// One step of a workflow.
#[derive(SimpleObject)]
pub(crate) struct WorkflowStep {
    /// Key within the workflow.
    key: String,
    /// What kind of task it opens.
    task: String,
    /// The role that is asked, by code.
    role: String,
    /// How soon.
    priority: TaskPriority,
    /// Within how many minutes of its opening.
    due_minutes: Option<i32>,
    /// When it is opened: an expression over what came of the steps before.
    guard: Option<String>,
    /// Keys of the steps that have to be over before.
    follows: Vec<String>,
}

impl From<workflow_step::Model> for WorkflowStep {
    fn from(row: workflow_step::Model) -> Self {
        Self {
            key: row.key,
            task: row.task_code,
            role: row.role_code,
            priority: row.priority.into(),
            due_minutes: row.due_minutes,
            guard: row.guard,
            follows: row.follows,
        }
    }
}

/// One edition of a workflow.
pub(crate) struct WorkflowDefinition {
    row: workflow_definition::Model,
}

impl WorkflowDefinition {
    pub(crate) fn new(row: workflow_definition::Model) -> Self {
        Self { row }
    }
}

/// One edition of a workflow.
#[Object]
impl WorkflowDefinition {
    /// Opaque id.
    pub(crate) async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// Grows by one on each write; send it back as `ifVersion`.
    pub(crate) async fn version(&self) -> i32 {
        self.row.version
    }

    /// When it was written.
    pub(crate) async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// When it last changed.
    pub(crate) async fn updated_at(&self) -> DateTime {
        DateTime(self.row.updated_at)
    }

    /// Key that all editions share.
    fn code(&self) -> &str {
        &self.row.code
    }

    /// Number of the edition, from one.
    fn edition(&self) -> i32 {
        self.row.edition
    }

    /// Name.
    fn name(&self) -> &str {
        &self.row.name
    }

    /// Where it stands.
    fn status(&self) -> WorkflowDefinitionStatus {
        self.row.status.into()
    }

    /// The steps, each after those that it follows.
    async fn steps(&self, ctx: &Context<'_>) -> Result<Vec<WorkflowStep>, ApiError> {
        let steps = ctx.caller()?.loaders().workflow_steps.load(self.row.id).await?.unwrap_or_default();
        Ok(steps.into_iter().map(Into::into).collect())
    }

    /// Names of the mutations that the viewer may run on the edition as it stands.
    async fn allowed_actions(&self, ctx: &Context<'_>) -> Result<Vec<String>, ApiError> {
        let caller = ctx.caller()?;
        let (actor, status) = (caller.actor(), self.row.status.to_value());
        allowed::open(caller, "workflow_definition", &status, |asked| actor.may(asked)).await
    }
}

/// A workflow under way.
pub(crate) struct WorkflowInstance {
    row: workflow_instance::Model,
    subject: Arc<Subject>,
}

impl WorkflowInstance {
    pub(crate) fn new(row: workflow_instance::Model) -> Self {
        let subject = match row.patient_id {
            Some(patient) => {
                let encounter = row.encounter_id.map(|encounter| encounter.0);
                Subject::new(patient, Row { encounter, ..Row::of(row.id.0) })
            }
            None => Subject::of_the_clinic(),
        };
        Self { row, subject }
    }
}

/// A workflow under way.
#[Object]
impl WorkflowInstance {
    /// Opaque id.
    pub(crate) async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// Grows by one on each write; send it back as `ifVersion`.
    pub(crate) async fn version(&self) -> i32 {
        self.row.version
    }

    /// When it was started.
    pub(crate) async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// When it last changed.
    pub(crate) async fn updated_at(&self) -> DateTime {
        DateTime(self.row.updated_at)
    }

    /// The edition that it began with, and keeps.
    async fn definition(&self, ctx: &Context<'_>) -> Nullable<WorkflowDefinition> {
        async {
            let definition =
                ctx.caller()?.loaders().workflow_definitions.load(self.row.definition_id).await?;
            Ok(definition.map(WorkflowDefinition::new))
        }
        .await
        .or_hidden()
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

    /// Where it stands.
    fn status(&self) -> WorkflowInstanceStatus {
        self.row.status.into()
    }

    /// When it was over.
    fn ended_at(&self) -> Option<DateTime> {
        self.row.ended_at.map(DateTime)
    }

    /// Its tasks so far, in the order in which they opened.
    async fn tasks(&self, ctx: &Context<'_>) -> Result<Vec<Task>, ApiError> {
        let tasks = ctx.caller()?.loaders().tasks_of_instances.load(self.row.id).await?.unwrap_or_default();
        Ok(tasks.into_iter().map(Task::new).collect())
    }

    /// Names of the mutations that the viewer may run on it as it stands.
    async fn allowed_actions(&self, ctx: &Context<'_>) -> Result<Vec<String>, ApiError> {
        let (caller, status) = (ctx.caller()?, self.row.status.to_value());
        allowed::actions(caller, "workflow_instance", &self.subject, &status).await
    }
}
