//! Opening a session for somebody who has proved who they are.

use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64URL_NOPAD;
use praxis_entity::{
    external_identity,
    ids::{IdentityProviderId, SessionId, UserId},
    session, user_account,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, LockType},
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{SessionKind, access_token, refresh};
use crate::{
    Failure, Op, Write,
    audit::Entry,
    factor,
    vault::{IndexField, crypto},
};

/// A session ends for good after this long.
pub const ABSOLUTE: TimeDelta = TimeDelta::hours(12);

/// One way of proving who one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Method {
    /// A password.
    Password,
    /// A link that was mailed.
    MailedLink,
    /// A code of an authenticator app.
    Totp,
    /// A passkey: something one has, unlocked by something one knows or is.
    Passkey,
    /// A recovery code.
    RecoveryCode,
    /// Another identity provider.
    External(IdentityProviderId),
    /// Another identity provider that said it asked for several factors.
    ExternalMultiFactor(IdentityProviderId),
}

impl Method {
    /// The stored form, after RFC 8176.
    pub fn code(self) -> &'static str {
        match self {
            Self::Password => "pwd",
            Self::MailedLink => "link",
            Self::Totp => "otp",
            Self::Passkey => "hwk",
            Self::RecoveryCode => "rec",
            Self::External(_) => "fed",
            Self::ExternalMultiFactor(_) => "fed+mfa",
        }
    }

    /// Whether it counts as a second factor, or as two at once.
    pub fn is_second_factor(self) -> bool {
        matches!(self, Self::Totp | Self::Passkey | Self::RecoveryCode | Self::ExternalMultiFactor(_))
    }

    /// The identity provider, where it was one.
    fn provider(self) -> Option<IdentityProviderId> {
        match self {
            Self::External(provider) | Self::ExternalMultiFactor(provider) => Some(provider),
            _ => None,
        }
    }
}

/// A new session.
pub struct SignedIn {
    /// How the client carries it.
    pub kind: SessionKind,
    /// The cookie's or access token, told once.
    pub token: Zeroizing<String>,
    /// Until when the token is good.
    pub expires_at: DateTime<Utc>,
    /// The token for the next access token.
    pub refresh_token: Option<Zeroizing<String>>,
    /// The session.
    pub session: SessionId,
    /// Its absolute end.
    pub session_expires_at: DateTime<Utc>,
    /// Who.
    pub user: UserId,
    /// Whether it may do nothing before a second factor is shown or enrolled.
    pub must_enrol: bool,
}

/// Whether the account is still what it was when somebody proved to be its user. From here to the end of
/// the transaction it stays so: a new password, or the end of the account, comes either before, and is
/// seen here, or after, and ends this session with the others.
async fn is_unchanged(op: &Op<Write>, user: &user_account::Model) -> Result<bool, Failure> {
    let now = user_account::Entity::find_by_id(user.id).lock(LockType::Share).one(op.db()).await?;
    Ok(now.is_some_and(|now| now.active && now.version == user.version))
}

/// Whether the user is known at the provider by which they came, as of now: the identity may have been unlinked
/// while the second factor was asked for. Whoever unlinks it later ends this session. Notes that it was used.
async fn is_known(op: &Op<Write>, user: UserId, provider: IdentityProviderId) -> Result<bool, Failure> {
    let used = external_identity::Entity::update_many()
        .col_expr(external_identity::Column::LastUsedAt, Expr::value(op.now()))
        .filter(external_identity::Column::ProviderId.eq(provider))
        .filter(external_identity::Column::UserId.eq(user))
        .exec(op.db())
        .await?;
    Ok(used.rows_affected > 0)
}

/// Opens a session, which nobody outside may: [`super::proceed`] decides first. The operation is
/// the system's, and records the sign-in.
pub(super) async fn open(
    op: &Op<Write>,
    user: &user_account::Model,
    methods: &[Method],
    kind: SessionKind,
) -> Result<SignedIn, Failure> {
    if !is_unchanged(op, user).await? {
        return Err(Failure::Unauthenticated);
    }
    let provider = methods.iter().find_map(|method| method.provider());
    if let Some(provider) = provider
        && !is_known(op, user.id, provider).await?
    {
        return Err(Failure::Unauthenticated);
    }
    let session_expires_at = op.now() + ABSOLUTE;
    let (cookie, token_hash) = match kind {
        SessionKind::Cookie => {
            let token = Zeroizing::new(BASE64URL_NOPAD.encode(&crypto::random::<32>()?));
            let hash = op.token(IndexField::Session, &token).await?.ok_or(Failure::KeyUnavailable)?;
            (Some(token), Some(hash))
        }
        SessionKind::Bearer => (None, None),
    };
    let second_factor_at = methods.iter().any(|method| method.is_second_factor()).then(|| op.now());
    let session = session::Entity::insert(session::ActiveModel {
        id: Set(SessionId(op.new_id())),
        token_hash: Set(token_hash),
        user_id: Set(user.id),
        kind: Set(kind.code().to_owned()),
        created_at: Set(op.now()),
        last_seen_at: Set(op.now()),
        expires_at: Set(session_expires_at),
        ended_at: Set(None),
        methods: Set(methods.iter().map(|method| method.code().to_owned()).collect()),
        second_factor_at: Set(second_factor_at),
        identity_provider_id: Set(provider),
        source_address: Set(op.request().source_address.clone()),
        user_agent: Set(op.request().user_agent.clone()),
    })
    .exec_with_returning(op.db())
    .await?;
    op.record(Entry::done("login").on("User", user.id.0, user.version));
    let (token, expires_at, refresh_token) = match cookie {
        Some(token) => (token, session_expires_at, None),
        None => {
            let access = access_token::issue(op, user.id, session.id, session_expires_at).await?;
            (access.token, access.expires_at, Some(refresh::begin_family(op, &session).await?))
        }
    };
    Ok(SignedIn {
        kind,
        token,
        expires_at,
        refresh_token,
        session: session.id,
        session_expires_at,
        user: user.id,
        must_enrol: second_factor_at.is_none() && factor::is_required(op.db(), user.id).await?,
    })
}
