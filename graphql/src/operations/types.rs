//! Registered operations and programs, as they are shown.

use async_graphql::{ComplexObject, Context, Enum, ID, Object, SimpleObject};
use praxis_domain::operations;
use praxis_entity::{api_client, registered_operation};

use sea_orm::ActiveEnum;

use crate::{allowed, context::Ask, error::ApiError, ids, scalar::DateTime};

/// What an operation does.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "registered_operation::OperationKind")]
pub(crate) enum OperationKind {
    /// It reads.
    Query,
    /// It changes.
    Mutation,
}

/// Whether an operation may be called.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "registered_operation::OperationStatus")]
pub(crate) enum OperationStatus {
    /// It may be called.
    Active,
    /// It may not be called any more.
    Retired,
}

/// Whether a program may call the API.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "api_client::ApiClientStatus")]
pub(crate) enum ApiClientStatus {
    /// It may call.
    Active,
    /// It may not call any more, for good.
    Retired,
}

/// An operation that may be called by its id.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct RegisteredOperation {
    /// Opaque id.
    id: ID,
    /// The id by which clients call it.
    document_id: String,
    /// Its name.
    name: String,
    /// What it does.
    kind: OperationKind,
    /// What it costs with the defaults of its variables.
    cost: i32,
    /// Fields inside each other.
    depth: i32,
    /// It may be sent by GET: its variables can say nothing about a person.
    by_get: bool,
    /// Whether it may be called.
    status: OperationStatus,
    /// When it was registered.
    created_at: DateTime,
    /// When it was retired.
    retired_at: Option<DateTime>,
}

impl RegisteredOperation {
    pub(crate) fn new(row: registered_operation::Model) -> Self {
        Self {
            id: ids::show(row.id),
            document_id: row.document_id,
            name: row.name,
            kind: row.kind.into(),
            cost: i32::try_from(row.cost).unwrap_or(i32::MAX),
            depth: row.depth,
            by_get: row.by_get,
            status: row.status.into(),
            created_at: DateTime(row.created_at),
            retired_at: row.retired_at.map(DateTime),
        }
    }
}

#[ComplexObject]
impl RegisteredOperation {
    /// Names of the mutations that the viewer may run on the operation as it stands: none, as operations are
    /// registered and retired at the command line.
    async fn allowed_actions(&self, ctx: &Context<'_>) -> Result<Vec<String>, ApiError> {
        let (caller, status) = (ctx.caller()?, registered_operation::OperationStatus::from(self.status));
        let may = |permission| caller.actor().may(permission);
        allowed::open(caller, "registered_operation", &status.to_value(), may).await
    }
}

/// A secret of a program, without what it is.
#[derive(SimpleObject)]
pub(crate) struct ApiClientSecret {
    /// When it was made.
    created_at: DateTime,
    /// When it stops to count; open while no other has taken over.
    expires_at: Option<DateTime>,
}

/// A program that calls the API with credentials of its own.
pub(crate) struct ApiClient {
    row: api_client::Model,
}

impl ApiClient {
    pub(crate) fn new(row: api_client::Model) -> Self {
        Self { row }
    }
}

/// A program that calls the API with credentials of its own.
#[Object]
impl ApiClient {
    /// Opaque id, also the client id that it signs in with.
    async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// Grows by one on each write.
    async fn version(&self) -> i32 {
        self.row.version
    }

    /// When the record was made.
    async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// When the record last changed.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.row.updated_at)
    }

    /// Whose program it is and what it does.
    fn name(&self) -> &str {
        &self.row.name
    }

    /// Codes of the permissions that it holds.
    fn permissions(&self) -> &[String] {
        &self.row.permissions
    }

    /// Ids of the documents that it may call.
    fn operations(&self) -> &[String] {
        &self.row.operations
    }

    /// Points of cost that it may spend at once.
    fn rate_points(&self) -> i32 {
        self.row.rate_points
    }

    /// Points that it gets back each second.
    fn rate_restore(&self) -> i32 {
        self.row.rate_restore
    }

    /// Whether it may call.
    fn status(&self) -> ApiClientStatus {
        self.row.status.into()
    }

    /// Names of the mutations that the viewer may run on the program as it stands.
    async fn allowed_actions(&self, ctx: &Context<'_>) -> Result<Vec<String>, ApiError> {
        let caller = ctx.caller()?;
        let status = self.row.status.to_value();
        allowed::open(caller, "api_client", &status, |permission| caller.actor().may(permission)).await
    }

    /// Its secrets, the oldest first, without what they are.
    async fn secrets(&self, ctx: &Context<'_>) -> Result<Vec<ApiClientSecret>, ApiError> {
        let secrets = operations::client_secrets(ctx.caller()?.reading(), &[self.row.id]).await?;
        let shown = |secret: praxis_entity::api_client_secret::Model| ApiClientSecret {
            created_at: DateTime(secret.created_at),
            expires_at: secret.expires_at.map(DateTime),
        };
        Ok(secrets.into_iter().map(shown).collect())
    }
}
