//! Ending sessions, deciding how long they live, administering identity providers, and unlinking identities.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use praxis_domain::{providers, sessions};
use praxis_entity::ids::UserId;

use super::{ExternalIdentity, IdentityProvider, Session, types::SessionPolicy};
use crate::{context::change, error::ApiError, identity::User, ids, payload::UserError};

/// Ending sessions, deciding how long they live, administering identity providers, and unlinking identities.
#[derive(Default)]
pub(crate) struct SignInMutation;

/// Which session to end.
#[derive(InputObject)]
pub(crate) struct SessionEndInput {
    /// The session.
    id: ID,
}

/// The ended session, or why none was ended.
#[derive(SimpleObject)]
pub(crate) struct SessionEndPayload {
    /// The ended session.
    session: Option<Session>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// Whose sessions to end.
#[derive(InputObject)]
pub(crate) struct SessionEndOthersInput {
    /// Whose; the viewer's own where absent. Other people's need `session:manage`.
    user_id: Option<ID>,
}

/// How many sessions were ended, or why none was.
#[derive(SimpleObject)]
pub(crate) struct SessionEndOthersPayload {
    /// How many were ended.
    ended: Option<i32>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// How long sessions are to live.
#[derive(InputObject)]
pub(crate) struct SessionPolicySetInput {
    /// Minutes without use after which a session is over, 5 to 60.
    idle_minutes: i32,
    /// The version that was read.
    if_version: i32,
}

/// How long sessions live now, or why nothing changed.
#[derive(SimpleObject)]
pub(crate) struct SessionPolicySetPayload {
    /// How long sessions live now.
    session_policy: Option<SessionPolicy>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// A new identity provider.
#[derive(InputObject)]
pub(crate) struct IdentityProviderAddInput {
    /// Name as shown to people who sign in.
    name: String,
    /// Its issuer, exactly as it calls itself: an https address.
    issuer: String,
    /// What it calls us.
    client_id: String,
    /// How we prove to it who we are; a public client has none.
    client_secret: Option<String>,
    /// What is asked for besides `openid`.
    #[graphql(default)]
    scopes: Vec<String>,
    /// Values of `acr` by which the provider says that it asked for several factors.
    #[graphql(default)]
    multi_factor_acr: Vec<String>,
}

/// The new identity provider, or why there is none.
#[derive(SimpleObject)]
pub(crate) struct IdentityProviderAddPayload {
    /// The new identity provider.
    identity_provider: Option<IdentityProvider>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// What is to be different at an identity provider; what is absent stays.
#[derive(InputObject)]
pub(crate) struct IdentityProviderChangeInput {
    /// The identity provider.
    id: ID,
    /// The version that was read.
    if_version: i32,
    /// Name as shown to people who sign in.
    name: Option<String>,
    /// What it calls us.
    client_id: Option<String>,
    /// How we prove to it who we are; null for a public client.
    client_secret: MaybeUndefined<String>,
    /// What is asked for besides `openid`.
    scopes: Option<Vec<String>>,
    /// Values of `acr` by which the provider says that it asked for several factors.
    multi_factor_acr: Option<Vec<String>>,
    /// Whether people may sign in there.
    active: Option<bool>,
}

/// The changed identity provider, or why nothing changed.
#[derive(SimpleObject)]
pub(crate) struct IdentityProviderChangePayload {
    /// The identity provider as it is now.
    identity_provider: Option<IdentityProvider>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// Which identity provider to remove.
#[derive(InputObject)]
pub(crate) struct IdentityProviderRemoveInput {
    /// The identity provider.
    id: ID,
    /// The version that was read.
    if_version: i32,
}

/// The id of the removed identity provider, or why none was removed.
#[derive(SimpleObject)]
pub(crate) struct IdentityProviderRemovePayload {
    /// What was removed.
    removed_id: Option<ID>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// Which of the viewer's identities to unlink.
#[derive(InputObject)]
pub(crate) struct ExternalIdentityUnlinkInput {
    /// The identity provider at which it is.
    provider_id: ID,
}

/// What is left, or why nothing was unlinked.
#[derive(SimpleObject)]
pub(crate) struct ExternalIdentityUnlinkPayload {
    /// The viewer's identities that are left.
    external_identities: Option<Vec<ExternalIdentity>>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// Whose identity to unlink.
#[derive(InputObject)]
pub(crate) struct UserUnlinkIdentityInput {
    /// Whose.
    user_id: ID,
    /// The identity provider at which it is.
    provider_id: ID,
}

/// Whose identity was unlinked, or why none was.
#[derive(SimpleObject)]
pub(crate) struct UserUnlinkIdentityPayload {
    /// Whose.
    user: Option<User>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

#[Object]
impl SignInMutation {
    /// Ends a session: one of the viewer's own, or anybody's with `session:manage`.
    ///
    /// Errors: NOT_FOUND.
    async fn session_end(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] input: SessionEndInput,
    ) -> Result<SessionEndPayload, ApiError> {
        let id = ids::parse(&input.id)?;
        let done = change(ctx, "Mutation.sessionEnd", async |op| sessions::end(op, id).await);
        let (row, user_errors) = done.await?.split();
        Ok(SessionEndPayload { session: row.map(Session::new), user_errors })
    }

    /// Ends all sessions of a person but the one that asks.
    ///
    /// Errors: none.
    async fn session_end_others(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose.")] input: SessionEndOthersInput,
    ) -> Result<SessionEndOthersPayload, ApiError> {
        let user: Option<UserId> = input.user_id.as_ref().map(ids::parse).transpose()?;
        let done = change(ctx, "Mutation.sessionEndOthers", async |op| sessions::end_others(op, user).await);
        let (ended, user_errors) = done.await?.split();
        Ok(SessionEndOthersPayload { ended: ended.and_then(|n| i32::try_from(n).ok()), user_errors })
    }

    /// Sets after how long without use sessions are over, those that are open included.
    ///
    /// Errors: OUT_OF_RANGE, VERSION_CONFLICT.
    async fn session_policy_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How long.")] input: SessionPolicySetInput,
    ) -> Result<SessionPolicySetPayload, ApiError> {
        let SessionPolicySetInput { idle_minutes, if_version } = input;
        let done = change(ctx, "Mutation.sessionPolicySet", async |op| {
            sessions::set_policy(op, idle_minutes, if_version).await
        });
        let (policy, user_errors) = done.await?.split();
        Ok(SessionPolicySetPayload { session_policy: policy.map(Into::into), user_errors })
    }

    /// Adds an identity provider; needs a fresh second factor.
    ///
    /// Errors: REQUIRED, INVALID, TOO_LONG, ALREADY_EXISTS.
    async fn identity_provider_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The identity provider.")] input: IdentityProviderAddInput,
    ) -> Result<IdentityProviderAddPayload, ApiError> {
        let new = providers::NewProvider {
            name: input.name,
            issuer: input.issuer,
            client_id: input.client_id,
            client_secret: input.client_secret,
            scopes: input.scopes,
            multi_factor_acr: input.multi_factor_acr,
        };
        let done = change(ctx, "Mutation.identityProviderAdd", async |op| providers::add(op, new).await);
        let (row, user_errors) = done.await?.split();
        Ok(IdentityProviderAddPayload { identity_provider: row.map(IdentityProvider::new), user_errors })
    }

    /// Changes an identity provider; needs a fresh second factor. Its issuer never changes.
    ///
    /// Errors: REQUIRED, INVALID, TOO_LONG, NOT_FOUND, VERSION_CONFLICT.
    async fn identity_provider_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is to be different.")] input: IdentityProviderChangeInput,
    ) -> Result<IdentityProviderChangePayload, ApiError> {
        let (id, if_version) = (ids::parse(&input.id)?, input.if_version);
        let patch = providers::Patch {
            name: input.name,
            client_id: input.client_id,
            client_secret: input.client_secret.as_opt_ref().map(|secret| secret.cloned()),
            scopes: input.scopes,
            multi_factor_acr: input.multi_factor_acr,
            active: input.active,
        };
        let done = change(ctx, "Mutation.identityProviderChange", async |op| {
            providers::change(op, id, if_version, patch).await
        });
        let (row, user_errors) = done.await?.split();
        Ok(IdentityProviderChangePayload { identity_provider: row.map(IdentityProvider::new), user_errors })
    }

    /// Removes an identity provider, and who is known by it; needs a fresh second factor.
    ///
    /// Errors: NOT_FOUND, VERSION_CONFLICT.
    async fn identity_provider_remove(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] input: IdentityProviderRemoveInput,
    ) -> Result<IdentityProviderRemovePayload, ApiError> {
        let (id, if_version) = (ids::parse(&input.id)?, input.if_version);
        let done = change(ctx, "Mutation.identityProviderRemove", async |op| {
            providers::remove(op, id, if_version).await
        });
        let (removed, user_errors) = done.await?.split();
        Ok(IdentityProviderRemovePayload { removed_id: removed.map(ids::show), user_errors })
    }

    /// Unlinks an identity of the viewer's own. Sessions that came from it end, but for the one that asks. It is
    /// linked by `POST /auth/oidc/link`.
    ///
    /// Needs a second factor shown a short while ago. Errors: NOT_FOUND; LOCKED where it is the last way to sign in.
    async fn external_identity_unlink(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] input: ExternalIdentityUnlinkInput,
    ) -> Result<ExternalIdentityUnlinkPayload, ApiError> {
        let provider = ids::parse(&input.provider_id)?;
        let done = change(ctx, "Mutation.externalIdentityUnlink", async |op| {
            providers::unlink(op, provider).await?;
            providers::own_identities(op).await.map(Identities)
        });
        let (left, user_errors) = done.await?.split();
        let external_identities = left.map(|left| left.0.into_iter().map(Into::into).collect());
        Ok(ExternalIdentityUnlinkPayload { external_identities, user_errors })
    }

    /// Unlinks somebody's identity, and ends the sessions that came from it. Answers FORBIDDEN for somebody who may do
    /// more than the caller.
    ///
    /// Needs a second factor shown a short while ago. Errors: NOT_FOUND; LOCKED for oneself.
    async fn user_unlink_identity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose, and where.")] input: UserUnlinkIdentityInput,
    ) -> Result<UserUnlinkIdentityPayload, ApiError> {
        let (user, provider) = (ids::parse(&input.user_id)?, ids::parse(&input.provider_id)?);
        let done = change(ctx, "Mutation.userUnlinkIdentity", async |op| {
            providers::unlink_user(op, user, provider).await
        });
        let (user, user_errors) = done.await?.split();
        Ok(UserUnlinkIdentityPayload { user: user.map(User::new), user_errors })
    }
}

/// The identities that are left after a change; a retry gets those that are left by then.
pub(crate) struct Identities(pub(crate) Vec<providers::Linked>);
