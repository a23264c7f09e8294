//! Finding tasks.

use async_graphql::{Context, ID, Object};
use praxis_domain::tasks;

use super::{
    Task,
    inputs::{TaskFilter, TaskOrder},
    types::{TaskConnection, TaskCounts},
};
use crate::{
    context::Ask,
    error::{ApiError, Nullable},
    ids,
    page::{Count, Cursors, PageArguments},
};

/// Finding tasks.
#[derive(Default)]
pub(crate) struct TaskQuery;

#[Object]
impl TaskQuery {
    /// One task.
    async fn task(&self, ctx: &Context<'_>, #[graphql(desc = "Id of the task.")] id: ID) -> Nullable<Task> {
        async {
            ctx.read("Query.task")?;
            Ok(ctx.caller()?.loaders().tasks.load(ids::parse(&id)?).await?.map(Task::new))
        }
        .await
        .transpose()
    }

    /// Tasks of the clinic that the viewer may see.
    async fn tasks(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Rows from the beginning, 25 when neither first nor last is given, 100 at the most."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 100 at the most.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which tasks.")] filter: Option<TaskFilter>,
        #[graphql(desc = "Order.", default_with = "TaskOrder::DueAt")] order_by: TaskOrder,
    ) -> Result<TaskConnection, ApiError> {
        let op = ctx.read("Query.tasks")?;
        let filter: tasks::TaskFilter = filter.unwrap_or_default().try_into()?;
        let order = order_by.into();
        let cursors = Cursors::of(ctx.caller()?, "Query.tasks", &format!("{filter:?}{order:?}")).await?;
        let page = cursors.request(&PageArguments { first, after, last, before })?;
        let slice = tasks::list(op, &filter, order, &page).await?;
        let op = op.clone();
        let count: Count = Box::new(move |max| {
            let (op, filter) = (op.clone(), filter.clone());
            Box::pin(async move { Ok(tasks::count(&op, &filter, max).await?) })
        });
        Ok(TaskConnection::of_slice(slice, order, cursors, count))
    }

    /// How much there is to do for the viewer.
    async fn task_counts(&self, ctx: &Context<'_>) -> Result<TaskCounts, ApiError> {
        Ok(tasks::counts(ctx.read("Query.taskCounts")?).await?.into())
    }
}
