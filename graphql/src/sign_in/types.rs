//! Sessions and identity providers.

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use praxis_domain::{providers, sessions};
use praxis_entity::{identity_provider, session};
use praxis_platform::session::ABSOLUTE;

use crate::{context::Ask, error::ApiError, ids, scalar::DateTime};

/// How a client carries its session.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionKind {
    /// A browser, in a cookie.
    Cookie,
    /// Another client, with tokens.
    Bearer,
}

/// One way in which a person proved who they are.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignInMethod {
    /// A password.
    Password,
    /// A link that was mailed.
    MailedLink,
    /// A code of an authenticator app.
    Totp,
    /// A passkey.
    Passkey,
    /// A recovery code.
    RecoveryCode,
    /// An identity provider.
    External,
    /// An identity provider that said it asked for several factors.
    ExternalMultiFactor,
}

impl SignInMethod {
    fn stored(code: &str) -> Option<Self> {
        Some(match code {
            "pwd" => Self::Password,
            "link" => Self::MailedLink,
            "otp" => Self::Totp,
            "hwk" => Self::Passkey,
            "rec" => Self::RecoveryCode,
            "fed" => Self::External,
            "fed+mfa" => Self::ExternalMultiFactor,
            _ => return None,
        })
    }
}

/// A signed-in session of a person.
pub(crate) struct Session {
    row: session::Model,
}

impl Session {
    pub(crate) fn new(row: session::Model) -> Self {
        Self { row }
    }
}

/// A signed-in session of a person.
#[Object]
impl Session {
    /// Opaque id.
    pub(crate) async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// How the client carries it.
    fn kind(&self) -> SessionKind {
        if self.row.kind == "COOKIE" { SessionKind::Cookie } else { SessionKind::Bearer }
    }

    /// When it began.
    async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// When it was last used, to about half a minute.
    fn last_seen_at(&self) -> DateTime {
        DateTime(self.row.last_seen_at)
    }

    /// Its absolute end.
    fn expires_at(&self) -> DateTime {
        DateTime(self.row.expires_at)
    }

    /// When it was ended, if it was.
    fn ended_at(&self) -> Option<DateTime> {
        self.row.ended_at.map(DateTime)
    }

    /// How the person proved who they are.
    fn methods(&self) -> Vec<SignInMethod> {
        self.row.methods.iter().filter_map(|code| SignInMethod::stored(code)).collect()
    }

    /// When a second factor was last shown.
    fn second_factor_at(&self) -> Option<DateTime> {
        self.row.second_factor_at.map(DateTime)
    }

    /// Address it was opened from.
    fn source_address(&self) -> Option<&str> {
        self.row.source_address.as_deref()
    }

    /// What the client called itself.
    fn user_agent(&self) -> Option<&str> {
        self.row.user_agent.as_deref()
    }

    /// True for the session that asks.
    fn current(&self, ctx: &Context<'_>) -> Result<bool, ApiError> {
        Ok(ctx.caller()?.actor().session == Some(self.row.id))
    }
}

/// How long sessions live at the clinic.
#[derive(SimpleObject)]
pub(crate) struct SessionPolicy {
    /// Grows by one on each write, 0 until the clinic decides for itself; send it back as `ifVersion`.
    version: i32,
    /// Minutes without use after which a session is over.
    idle_minutes: i32,
    /// Minutes after which a session is over however busy.
    absolute_minutes: i32,
}

impl From<sessions::SessionPolicy> for SessionPolicy {
    fn from(policy: sessions::SessionPolicy) -> Self {
        Self {
            version: policy.version,
            idle_minutes: policy.idle_minutes,
            absolute_minutes: i32::try_from(ABSOLUTE.num_minutes()).unwrap_or(i32::MAX),
        }
    }
}

/// Who a person is at an identity provider, where they have one identity at the most. What the provider calls them is
/// not shown.
#[derive(SimpleObject)]
pub(crate) struct ExternalIdentity {
    /// Opaque id of the provider.
    provider_id: ID,
    /// Its name as shown.
    provider_name: String,
    /// Since when the account is opened by it.
    linked_at: DateTime,
    /// When a session was last opened by it, if one was.
    last_used_at: Option<DateTime>,
}

impl From<providers::Linked> for ExternalIdentity {
    fn from(providers::Linked { identity, provider }: providers::Linked) -> Self {
        Self {
            provider_id: ids::show(provider.id),
            provider_name: provider.name,
            linked_at: DateTime(identity.created_at),
            last_used_at: identity.last_used_at.map(DateTime),
        }
    }
}

/// Where people of the clinic sign in instead of here.
pub(crate) struct IdentityProvider {
    row: identity_provider::Model,
}

impl IdentityProvider {
    pub(crate) fn new(row: identity_provider::Model) -> Self {
        Self { row }
    }
}

/// Where people of the clinic sign in instead of here.
#[Object]
impl IdentityProvider {
    /// Opaque id.
    pub(crate) async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// Grows by one on each write.
    pub(crate) async fn version(&self) -> i32 {
        self.row.version
    }

    /// When the record was made.
    pub(crate) async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// When the record last changed.
    pub(crate) async fn updated_at(&self) -> DateTime {
        DateTime(self.row.updated_at)
    }

    /// Name as shown to people who sign in.
    fn name(&self) -> &str {
        &self.row.name
    }

    /// Its issuer, exactly as it calls itself.
    fn issuer(&self) -> &str {
        &self.row.issuer
    }

    /// What it calls us.
    fn client_id(&self) -> &str {
        &self.row.client_id
    }

    /// Whether a client secret is stored; it is never shown.
    fn has_secret(&self) -> bool {
        self.row.client_secret.is_some()
    }

    /// What is asked for besides `openid`.
    fn scopes(&self) -> &[String] {
        &self.row.scopes
    }

    /// Values of `acr` by which the provider says that it asked for several factors.
    fn multi_factor_acr(&self) -> &[String] {
        &self.row.multi_factor_acr
    }

    /// False while nobody may sign in there.
    fn active(&self) -> bool {
        self.row.active
    }
}
