//! Making and retiring programs, and giving them other secrets.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use praxis_domain::{Error, operations};
use praxis_entity::{api_client, ids::ApiClientId};
use praxis_platform::{Op, Write, client::ClientSecret};

use super::types::ApiClient;
use crate::{context::change, error::ApiError, idempotency::Replay, ids, payload::UserError};

/// Making and retiring programs, and giving them other secrets.
#[derive(Default)]
pub(crate) struct OperationMutation;

/// A new program.
#[derive(InputObject)]
pub(crate) struct ApiClientCreateInput {
    /// Whose program it is and what it does; unique in the clinic.
    name: String,
    /// Codes of what it may do; never more than you may do yourself.
    permissions: Vec<String>,
    /// Ids of the registered documents that it may call; it may call nothing else.
    operations: Vec<String>,
    /// Points of cost that it may spend at once; 10,000 when absent.
    rate_points: Option<i32>,
    /// Points that it gets back each second; 500 when absent.
    rate_restore: Option<i32>,
}

/// The new program with its secret, or why there is none.
#[derive(SimpleObject)]
pub(crate) struct ApiClientCreatePayload {
    /// The new program.
    api_client: Option<ApiClient>,
    /// Its secret, told this once; absent when an idempotent mutation is repeated.
    secret: Option<String>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// Which program gets another secret.
#[derive(InputObject)]
pub(crate) struct ApiClientRotateSecretInput {
    /// The program.
    id: ID,
    /// For how many hours the present secret still counts, 336 at the most. Without any overlap it ends
    /// at once, and so do the tokens that it gave.
    #[graphql(default = 24)]
    overlap_hours: i32,
}

/// The program with its new secret, or why there is none.
#[derive(SimpleObject)]
pub(crate) struct ApiClientRotateSecretPayload {
    /// The program.
    api_client: Option<ApiClient>,
    /// The new secret, told this once; absent when an idempotent mutation is repeated.
    secret: Option<String>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// Which program is retired.
#[derive(InputObject)]
pub(crate) struct ApiClientRetireInput {
    /// The program.
    id: ID,
}

/// The retired program, or why it is not retired.
#[derive(SimpleObject)]
pub(crate) struct ApiClientRetirePayload {
    /// The program.
    api_client: Option<ApiClient>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// A program, and its secret when it was made just now.
struct Told {
    client: api_client::Model,
    secret: Option<ClientSecret>,
}

impl Told {
    fn now((client, secret): (api_client::Model, ClientSecret)) -> Self {
        Self { client, secret: Some(secret) }
    }

    fn split(told: Option<Self>) -> (Option<ApiClient>, Option<String>) {
        let secret = told.as_ref().and_then(|told| told.secret.as_ref().map(|secret| secret.to_string()));
        (told.map(|told| ApiClient::new(told.client)), secret)
    }
}

impl Replay for Told {
    type Outcome = ApiClientId;

    fn outcome(&self) -> ApiClientId {
        self.client.id
    }

    /// The secret is not there to be told again.
    async fn recall(op: &Op<Write>, id: ApiClientId) -> Result<Option<Self>, Error> {
        let client = operations::clients(op).await?.into_iter().find(|client| client.id == id);
        Ok(client.map(|client| Self { client, secret: None }))
    }
}

#[Object]
impl OperationMutation {
    /// Makes a program that may call the API. Needs a second factor shown a short while ago.
    ///
    /// Errors: REQUIRED, TOO_LONG, OUT_OF_RANGE, NOT_FOUND, ALREADY_EXISTS.
    async fn api_client_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The program.")] input: ApiClientCreateInput,
    ) -> Result<ApiClientCreatePayload, ApiError> {
        let ApiClientCreateInput { name, permissions, operations, rate_points, rate_restore } = input;
        let new = operations::NewClient { name, permissions, operations, rate_points, rate_restore };
        let done = change(ctx, "Mutation.apiClientCreate", async |op| {
            operations::create_client(op, new).await.map(Told::now)
        });
        let (told, user_errors) = done.await?.split();
        let (api_client, secret) = Told::split(told);
        Ok(ApiClientCreatePayload { api_client, secret, user_errors })
    }

    /// Gives a program another secret, beside which the present one still counts for a while. Needs a
    /// second factor shown a short while ago.
    ///
    /// Errors: NOT_FOUND, OUT_OF_RANGE, INVALID_TRANSITION.
    async fn api_client_rotate_secret(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The program.")] input: ApiClientRotateSecretInput,
    ) -> Result<ApiClientRotateSecretPayload, ApiError> {
        let id: ApiClientId = ids::parse(&input.id)?;
        let done = change(ctx, "Mutation.apiClientRotateSecret", async |op| {
            operations::rotate_secret(op, id, input.overlap_hours).await.map(Told::now)
        });
        let (told, user_errors) = done.await?.split();
        let (api_client, secret) = Told::split(told);
        Ok(ApiClientRotateSecretPayload { api_client, secret, user_errors })
    }

    /// Retires a program for good; its secrets and tokens are taken nowhere any more. Needs a second
    /// factor shown a short while ago.
    ///
    /// Errors: NOT_FOUND, INVALID_TRANSITION.
    async fn api_client_retire(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The program.")] input: ApiClientRetireInput,
    ) -> Result<ApiClientRetirePayload, ApiError> {
        let id: ApiClientId = ids::parse(&input.id)?;
        let done = change(ctx, "Mutation.apiClientRetire", async |op| {
            let client = operations::retire_client(op, id).await?;
            Ok(Told { client, secret: None })
        });
        let (told, user_errors) = done.await?.split();
        Ok(ApiClientRetirePayload { api_client: Told::split(told).0, user_errors })
    }
}
