//! Finding workflows.

use async_graphql::{Context, ID, InputObject, Object};
use praxis_domain::workflows;

use super::types::{WorkflowDefinition, WorkflowDefinitionStatus, WorkflowInstance};
use crate::{
    context::Ask,
    error::{ApiError, Nullable},
    ids,
};

/// Which workflows. What is given side by side must all hold.
#[derive(InputObject, Debug, Clone, Default)]
pub(crate) struct WorkflowDefinitionFilter {
    /// In one of these statuses.
    status: Option<Vec<WorkflowDefinitionStatus>>,
    /// All editions of one workflow.
    code: Option<String>,
}

/// Finding workflows.
#[derive(Default)]
pub(crate) struct WorkflowQuery;

#[Object]
impl WorkflowQuery {
    /// Workflows by code, the newest edition first; 500 at the most.
    async fn workflow_definitions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which workflows.")] filter: Option<WorkflowDefinitionFilter>,
    ) -> Result<Vec<WorkflowDefinition>, ApiError> {
        let op = ctx.read("Query.workflowDefinitions")?;
        let filter = filter.unwrap_or_default();
        let wanted = workflows::DefinitionFilter {
            status: filter.status.map(|list| list.into_iter().map(Into::into).collect()),
            code: filter.code,
        };
        Ok(workflows::definitions(op, &wanted).await?.into_iter().map(WorkflowDefinition::new).collect())
    }

    /// A workflow under way, or over.
    async fn workflow_instance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Id of what runs.")] id: ID,
    ) -> Nullable<WorkflowInstance> {
        async {
            ctx.read("Query.workflowInstance")?;
            let found = ctx.caller()?.loaders().workflow_instances.load(ids::parse(&id)?).await?;
            Ok(found.map(WorkflowInstance::new))
        }
        .await
        .transpose()
    }
}
