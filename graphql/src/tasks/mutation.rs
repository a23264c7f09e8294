//! Asking for something to be done, and doing it.

use async_graphql::{Context, Object, SimpleObject};
use praxis_domain::tasks;
use praxis_entity::task;

use super::{
    Task,
    inputs::{
        TaskAssignInput, TaskCancelInput, TaskClaimInput, TaskCompleteInput, TaskCreateInput, TaskHoldInput,
        TaskRejectInput, TaskResumeInput, TaskStartInput,
    },
};
use crate::{
    context::change,
    error::ApiError,
    ids,
    payload::{Done, UserError},
};

/// Asking for something to be done, and doing it.
#[derive(Default)]
pub(crate) struct TaskMutation;

macro_rules! task_payload {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(SimpleObject)]
            pub(crate) struct $name {
                /// The task as it is now.
                task: Option<Task>,
                /// What the person at the screen can put right; non-empty means nothing was written.
                user_errors: Vec<UserError>,
            }

            impl From<Done<task::Model>> for $name {
                fn from(done: Done<task::Model>) -> Self {
                    let (row, user_errors) = done.split();
                    Self { task: row.map(Task::new), user_errors }
                }
            }
        )*
    };
}

task_payload! {
    /// The new task, or why there is none.
    TaskCreatePayload;
    /// The task with its new owner, or why it has none.
    TaskAssignPayload;
    /// The task that was taken on, or why it was not.
    TaskClaimPayload;
    /// The task that was begun, or why it was not.
    TaskStartPayload;
    /// The task that waits, or why it does not.
    TaskHoldPayload;
    /// The task that goes on, or why it does not.
    TaskResumePayload;
    /// The task that is over, or why it is not.
    TaskCompletePayload;
    /// The task that was turned down, or why it was not.
    TaskRejectPayload;
    /// The task that was called off, or why it was not.
    TaskCancelPayload;
}

#[Object]
impl TaskMutation {
    /// Asks for something to be done. To ask another user by name needs task:assign.
    ///
    /// Errors: NOT_FOUND, INVALID, OUT_OF_RANGE, TOO_LONG, LOCKED.
    async fn task_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is to be done.")] input: TaskCreateInput,
    ) -> Result<TaskCreatePayload, ApiError> {
        let new = input.try_into()?;
        Ok(change(ctx, "Mutation.taskCreate", async |op| tasks::create(op, new).await).await?.into())
    }

    /// Gives a task to somebody else; it waits until they take it on. Its owner gives it back to a role; to a user
    /// those who hold task:assign do.
    ///
    /// Errors: NOT_FOUND, INVALID, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn task_assign(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The task, and who is to do it.")] input: TaskAssignInput,
    ) -> Result<TaskAssignPayload, ApiError> {
        let (id, version, to) = (ids::parse(&input.id)?, input.if_version, input.to.try_into()?);
        let assign = async |op: &_| tasks::assign(op, id, version, to).await;
        Ok(change(ctx, "Mutation.taskAssign", assign).await?.into())
    }

    /// Takes a task on. Of any number who try at once, one gets it; the others get VERSION_CONFLICT with the task as
    /// it is now.
    ///
    /// Errors: NOT_FOUND, LOCKED, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn task_claim(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The task.")] input: TaskClaimInput,
    ) -> Result<TaskClaimPayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let claim = async |op: &_| tasks::claim(op, id, version).await;
        Ok(change(ctx, "Mutation.taskClaim", claim).await?.into())
    }

    /// Begins with a task that one has taken on.
    ///
    /// Errors: NOT_FOUND, LOCKED, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn task_start(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The task.")] input: TaskStartInput,
    ) -> Result<TaskStartPayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let start = async |op: &_| tasks::start(op, id, version).await;
        Ok(change(ctx, "Mutation.taskStart", start).await?.into())
    }

    /// Lets a task wait.
    ///
    /// Errors: NOT_FOUND, REQUIRED, TOO_LONG, INVALID, LOCKED, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn task_hold(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The task, and for what it waits.")] input: TaskHoldInput,
    ) -> Result<TaskHoldPayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let hold = async |op: &_| tasks::hold(op, id, version, &input.reason).await;
        Ok(change(ctx, "Mutation.taskHold", hold).await?.into())
    }

    /// Goes on with a task that waited.
    ///
    /// Errors: NOT_FOUND, LOCKED, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn task_resume(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The task.")] input: TaskResumeInput,
    ) -> Result<TaskResumePayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let resume = async |op: &_| tasks::resume(op, id, version).await;
        Ok(change(ctx, "Mutation.taskResume", resume).await?.into())
    }

    /// Ends a task with its outcome. What was not possible has failed; everything else is completed.
    ///
    /// Errors: NOT_FOUND, TOO_LONG, INVALID, LOCKED, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn task_complete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The task, and what came of it.")] input: TaskCompleteInput,
    ) -> Result<TaskCompletePayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let done = tasks::CompleteTask { outcome: input.outcome.into(), result: input.result };
        let complete = async |op: &_| tasks::complete(op, id, version, done).await;
        Ok(change(ctx, "Mutation.taskComplete", complete).await?.into())
    }

    /// Turns a task down that was asked of the viewer.
    ///
    /// Errors: NOT_FOUND, REQUIRED, TOO_LONG, INVALID, LOCKED, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn task_reject(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The task, and why.")] input: TaskRejectInput,
    ) -> Result<TaskRejectPayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let reject = async |op: &_| tasks::reject(op, id, version, &input.reason).await;
        Ok(change(ctx, "Mutation.taskReject", reject).await?.into())
    }

    /// Calls a task off. Whoever asked for it does, and whoever holds task:assign.
    ///
    /// Errors: NOT_FOUND, TOO_LONG, INVALID, LOCKED, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn task_cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The task, and why.")] input: TaskCancelInput,
    ) -> Result<TaskCancelPayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let cancel = async |op: &_| tasks::cancel(op, id, version, input.reason.as_deref()).await;
        Ok(change(ctx, "Mutation.taskCancel", cancel).await?.into())
    }
}
