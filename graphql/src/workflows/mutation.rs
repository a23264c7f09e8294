//! Writing workflows, starting them and calling them off.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use praxis_domain::workflows;

use super::types::{WorkflowDefinition, WorkflowInstance};
use crate::{context::change, error::ApiError, ids, payload::UserError, tasks::TaskPriority};

/// Writing workflows, starting them and calling them off.
#[derive(Default)]
pub(crate) struct WorkflowMutation;

/// A step of a workflow.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct WorkflowStepInput {
    /// Key within the workflow: small letters, digits and underscores.
    key: String,
    /// What kind of task it opens, in capitals.
    task: String,
    /// The role that is asked, by code.
    role: String,
    /// How soon.
    #[graphql(default_with = "TaskPriority::Routine")]
    priority: TaskPriority,
    /// Within how many minutes of its opening.
    due_minutes: Option<i32>,
    /// When it is opened, over what came of the steps that it follows: `triage.outcome == 'DONE'`.
    guard: Option<String>,
    /// Keys of the steps that have to be over before.
    #[graphql(default)]
    follows: Vec<String>,
}

impl From<WorkflowStepInput> for workflows::NewStep {
    fn from(step: WorkflowStepInput) -> Self {
        Self {
            key: step.key,
            task: step.task,
            role: step.role,
            priority: step.priority.into(),
            due_minutes: step.due_minutes,
            guard: step.guard,
            follows: step.follows,
        }
    }
}

/// The next edition of a workflow.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct WorkflowDefineInput {
    /// Key that all editions share: small letters, digits and underscores.
    code: String,
    /// Name.
    name: String,
    /// The steps.
    steps: Vec<WorkflowStepInput>,
}

/// An edition to put into use.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct WorkflowActivateInput {
    /// The edition.
    id: ID,
    /// The version that was read.
    if_version: i32,
}

/// An edition to take out of use.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct WorkflowRetireInput {
    /// The edition.
    id: ID,
    /// The version that was read.
    if_version: i32,
}

/// A workflow to start.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct WorkflowStartInput {
    /// Its key; the edition in use is started.
    code: String,
    /// Whom it concerns; follows from the visit where one is given.
    patient_id: Option<ID>,
    /// The visit it belongs to.
    encounter_id: Option<ID>,
}

/// A workflow to call off.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct WorkflowCancelInput {
    /// What runs.
    id: ID,
    /// The version that was read.
    if_version: i32,
}

/// The new edition, or why there is none.
#[derive(SimpleObject)]
pub(crate) struct WorkflowDefinePayload {
    /// The new edition.
    workflow_definition: Option<WorkflowDefinition>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// The edition that is in use now, or why it is not.
#[derive(SimpleObject)]
pub(crate) struct WorkflowActivatePayload {
    /// The edition.
    workflow_definition: Option<WorkflowDefinition>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// The edition that is out of use now, or why it is not.
#[derive(SimpleObject)]
pub(crate) struct WorkflowRetirePayload {
    /// The edition.
    workflow_definition: Option<WorkflowDefinition>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// What runs now, or why nothing does.
#[derive(SimpleObject)]
pub(crate) struct WorkflowStartPayload {
    /// What runs.
    workflow_instance: Option<WorkflowInstance>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// What was called off, or why it was not.
#[derive(SimpleObject)]
pub(crate) struct WorkflowCancelPayload {
    /// What was called off.
    workflow_instance: Option<WorkflowInstance>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

#[Object]
impl WorkflowMutation {
    /// Writes the next edition of a workflow, as a draft. Steps that wait for each other are refused.
    ///
    /// Errors: REQUIRED, INVALID, TOO_LONG, OUT_OF_RANGE, NOT_FOUND, ALREADY_EXISTS.
    async fn workflow_define(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The edition.")] input: WorkflowDefineInput,
    ) -> Result<WorkflowDefinePayload, ApiError> {
        let steps = input.steps.into_iter().map(Into::into).collect();
        let new = workflows::NewWorkflow { code: input.code, name: input.name, steps };
        let define = async |op: &_| workflows::define(op, new).await;
        let (row, user_errors) = change(ctx, "Mutation.workflowDefine", define).await?.split();
        Ok(WorkflowDefinePayload { workflow_definition: row.map(WorkflowDefinition::new), user_errors })
    }

    /// Puts a draft into use, in the place of the edition before. What runs goes on as it began.
    ///
    /// Errors: NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn workflow_activate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The edition.")] input: WorkflowActivateInput,
    ) -> Result<WorkflowActivatePayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let activate = async |op: &_| workflows::activate(op, id, version).await;
        let (row, user_errors) = change(ctx, "Mutation.workflowActivate", activate).await?.split();
        Ok(WorkflowActivatePayload { workflow_definition: row.map(WorkflowDefinition::new), user_errors })
    }

    /// Takes an edition out of use. What runs goes on.
    ///
    /// Errors: NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn workflow_retire(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The edition.")] input: WorkflowRetireInput,
    ) -> Result<WorkflowRetirePayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let retire = async |op: &_| workflows::retire(op, id, version).await;
        let (row, user_errors) = change(ctx, "Mutation.workflowRetire", retire).await?.split();
        Ok(WorkflowRetirePayload { workflow_definition: row.map(WorkflowDefinition::new), user_errors })
    }

    /// Starts the edition of a workflow that is in use; its first steps open at once, the others by themselves when
    /// those before are done.
    ///
    /// Errors: NOT_FOUND, INVALID, LOCKED.
    async fn workflow_start(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The workflow.")] input: WorkflowStartInput,
    ) -> Result<WorkflowStartPayload, ApiError> {
        let new = workflows::StartWorkflow {
            code: input.code,
            patient: input.patient_id.as_ref().map(ids::parse).transpose()?,
            encounter: input.encounter_id.as_ref().map(ids::parse).transpose()?,
        };
        let start = async |op: &_| workflows::start(op, new).await;
        let (row, user_errors) = change(ctx, "Mutation.workflowStart", start).await?.split();
        Ok(WorkflowStartPayload { workflow_instance: row.map(WorkflowInstance::new), user_errors })
    }

    /// Calls off a workflow that runs, and what is left of it.
    ///
    /// Errors: NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn workflow_cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What runs.")] input: WorkflowCancelInput,
    ) -> Result<WorkflowCancelPayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let cancel = async |op: &_| workflows::cancel(op, id, version).await;
        let (row, user_errors) = change(ctx, "Mutation.workflowCancel", cancel).await?.split();
        Ok(WorkflowCancelPayload { workflow_instance: row.map(WorkflowInstance::new), user_errors })
    }
}
