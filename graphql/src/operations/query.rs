//! Reading registered operations and programs.

use async_graphql::{Context, Object};
use praxis_domain::operations;

use super::types::{ApiClient, RegisteredOperation};
use crate::{context::Ask, error::ApiError};

/// Reading registered operations and programs.
#[derive(Default)]
pub(crate) struct OperationQuery;

#[Object]
impl OperationQuery {
    /// Operations that the clinic registered for itself, by name, retired ones as well.
    async fn registered_operations(&self, ctx: &Context<'_>) -> Result<Vec<RegisteredOperation>, ApiError> {
        let rows = operations::operations(ctx.read("Query.registeredOperations")?).await?;
        Ok(rows.into_iter().map(RegisteredOperation::new).collect())
    }

    /// Programs that call the API with credentials of their own, by name, retired ones as well.
    async fn api_clients(&self, ctx: &Context<'_>) -> Result<Vec<ApiClient>, ApiError> {
        let rows = operations::clients(ctx.read("Query.apiClients")?).await?;
        Ok(rows.into_iter().map(ApiClient::new).collect())
    }
}
