//! A sign-in under way, which the browser carries: sealed, bound to it by a cookie, good for ten minutes.
//!
//! Nothing is stored until a sign-in succeeds, so strangers who begin many fill nothing.

use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64URL_NOPAD;
use praxis_entity::ids::{IdentityProviderId, SessionId, UserId};
use serde::{Deserialize, Serialize};

use crate::{
    Failure, Op,
    vault::crypto::{random, same, sha256},
};

/// For how long a person may be away at the provider.
pub const LIFETIME: TimeDelta = TimeDelta::minutes(10);

/// What somebody goes to the provider for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Intent {
    /// To sign in.
    SignIn,
    /// To be known by the identity from now on, in the session that asks.
    Link {
        /// Who.
        user: UserId,
        /// Where they are signed in, and where it has to come to its end.
        session: SessionId,
    },
    /// To accept an invitation.
    Join {
        /// Keyed hash of its secret.
        invitation: Vec<u8>,
    },
}

impl Intent {
    /// To link an identity to the actor's own account; needs a fresh second factor.
    pub fn link<Mode>(op: &Op<Mode>) -> Result<Self, Failure> {
        op.require_step_up()?;
        let (user, session) = op.actor().user.zip(op.actor().session).ok_or(Failure::Unauthenticated)?;
        Ok(Self::Link { user, session })
    }

    /// What the audit log calls it.
    pub fn action(&self) -> &'static str {
        match self {
            Self::SignIn => "login",
            Self::Link { .. } => "identity.link",
            Self::Join { .. } => "invitation.accept",
        }
    }

    /// Whether an account is going to be opened by the identity from now on. Then the provider is asked to let the
    /// person prove anew who they are: at a shared workstation it may remember somebody else.
    pub(super) fn binds(&self) -> bool {
        matches!(self, Self::Link { .. } | Self::Join { .. })
    }
}

/// What has to be remembered between leaving for the provider and coming back.
#[derive(Serialize, Deserialize)]
pub(super) struct Attempt {
    pub(super) provider: IdentityProviderId,
    pub(super) state: String,
    pub(super) nonce: String,
    /// What PKCE shows at the end.
    pub(super) verifier: String,
    pub(super) redirect_uri: String,
    pub(super) return_to: String,
    pub(super) intent: Intent,
    pub(super) expires_at: DateTime<Utc>,
}

impl Attempt {
    /// A new attempt.
    pub(super) fn new<Mode>(
        op: &Op<Mode>,
        provider: IdentityProviderId,
        redirect_uri: &str,
        return_to: &str,
        intent: Intent,
    ) -> Result<Self, Failure> {
        let secret = || Ok::<_, Failure>(BASE64URL_NOPAD.encode(&random::<32>()?));
        Ok(Self {
            provider,
            state: secret()?,
            nonce: secret()?,
            verifier: secret()?,
            redirect_uri: redirect_uri.to_owned(),
            return_to: return_to.to_owned(),
            intent,
            expires_at: op.now() + LIFETIME,
        })
    }

    /// When it began.
    pub(super) fn began_at(&self) -> DateTime<Utc> {
        self.expires_at - LIFETIME
    }

    /// The attempt as the browser carries it.
    pub(super) async fn seal<Mode>(&self, op: &Op<Mode>) -> Result<String, Failure> {
        let text = serde_json::to_vec(self).map_err(|error| Failure::Internal(error.to_string()))?;
        Ok(op.tenant_key().await?.seal_cursor(&purpose(), &text)?)
    }

    /// The attempt that a browser carries, if it is ours, not over, and this is its answer.
    pub(super) async fn open<Mode>(
        op: &Op<Mode>,
        sealed: &str,
        state: &str,
    ) -> Result<Option<Self>, Failure> {
        let Ok(text) = op.tenant_key().await?.open_cursor(&purpose(), sealed) else { return Ok(None) };
        let Ok(attempt) = serde_json::from_slice::<Self>(&text) else { return Ok(None) };
        let answered = same(&sha256(attempt.state.as_bytes()), &sha256(state.as_bytes()));
        Ok((answered && attempt.expires_at > op.now()).then_some(attempt))
    }
}

/// Sealed texts of other purposes are no attempts.
fn purpose() -> [u8; 32] {
    sha256(b"praxis sign-in at an identity provider")
}
