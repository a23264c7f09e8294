//! Reading sessions of others, how long they live, and identity providers.

use async_graphql::{Context, ID, Object};
use praxis_domain::{providers, sessions};

use super::{IdentityProvider, Session, types::SessionPolicy};
use crate::{context::Ask, error::ApiError, ids};

/// Reading sessions of others, how long they live, and identity providers.
#[derive(Default)]
pub(crate) struct SignInQuery;

#[Object]
impl SignInQuery {
    /// Sessions of a person that go on, last used first, 100 at the most.
    async fn user_sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose.")] user_id: ID,
    ) -> Result<Vec<Session>, ApiError> {
        let op = ctx.read("Query.userSessions")?;
        let found = sessions::of_user(op, ids::parse(&user_id)?).await?;
        Ok(found.into_iter().map(Session::new).collect())
    }

    /// How long sessions live at the clinic.
    async fn session_policy(&self, ctx: &Context<'_>) -> Result<SessionPolicy, ApiError> {
        Ok(sessions::policy(ctx.read("Query.sessionPolicy")?).await?.into())
    }

    /// Where people of the clinic sign in instead of here, by name.
    async fn identity_providers(&self, ctx: &Context<'_>) -> Result<Vec<IdentityProvider>, ApiError> {
        let all = providers::all(ctx.read("Query.identityProviders")?).await?;
        Ok(all.into_iter().map(IdentityProvider::new).collect())
    }
}
