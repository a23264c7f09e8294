//! Signing in by e-mail and password, and signing out.

use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64URL_NOPAD;
use praxis_entity::{
    ids::{SessionId, UserId},
    session, user_account,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use super::verify_password;
use crate::{
    Failure, OpFactory,
    audit::{Entry, Outcome},
    vault::{IndexField, crypto},
};

/// A session ends for good after this long.
const ABSOLUTE: TimeDelta = TimeDelta::hours(12);

/// How the client carries the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionKind {
    /// In the `Authorization` header.
    Bearer,
    /// In a `__Host-` cookie.
    Cookie,
}

/// E-mail and password do not belong to an active user. Says no more than that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("e-mail or password is wrong")]
pub struct LoginRefused;

/// A new session.
pub struct SignedIn {
    /// The token, told once.
    pub token: zeroize::Zeroizing<String>,
    /// Absolute end.
    pub expires_at: DateTime<Utc>,
    /// Who.
    pub user: UserId,
}

/// Signs a user in. The factory must be the system's: nobody has signed in yet.
pub async fn login(
    system: &OpFactory,
    email: &str,
    password: &str,
    kind: SessionKind,
) -> Result<Result<SignedIn, LoginRefused>, Failure> {
    let email = email.trim().to_lowercase();
    let lookup = system.read();
    let user =
        user_account::Entity::find().filter(user_account::Column::Email.eq(email)).one(lookup.db()).await?;
    // Give the connection back: checking the password takes long and needs none.
    lookup.release().await;
    let right = verify_password(password, user.as_ref().map(|user| user.password_hash.as_str())).await?;
    let Some(user) = user.filter(|user| right && user.active) else {
        lookup.record(Entry::done("login").ended(Outcome::Denied)).await?;
        return Ok(Err(LoginRefused));
    };
    let token = zeroize::Zeroizing::new(BASE64URL_NOPAD.encode(&crypto::random::<32>()?));
    let op = system.write_always().await?;
    let token_hash = op.token(IndexField::Session, &token).await?.ok_or(Failure::KeyUnavailable)?;
    let id = SessionId(op.new_id());
    let expires_at = op.now() + ABSOLUTE;
    session::Entity::insert(session::ActiveModel {
        id: Set(id),
        token_hash: Set(token_hash),
        user_id: Set(user.id),
        kind: Set(match kind {
            SessionKind::Bearer => "BEARER",
            SessionKind::Cookie => "COOKIE",
        }
        .to_owned()),
        created_at: Set(op.now()),
        last_seen_at: Set(op.now()),
        expires_at: Set(expires_at),
        ended_at: Set(None),
    })
    .exec_without_returning(op.db())
    .await?;
    op.record(Entry::done("login").on("User", user.id.0, user.version));
    op.commit().await?;
    Ok(Ok(SignedIn { token, expires_at, user: user.id }))
}

/// Ends the actor's own session.
pub async fn logout(factory: &OpFactory) -> Result<(), Failure> {
    let Some(id) = factory.actor().session else { return Ok(()) };
    let op = factory.write_always().await?;
    session::Entity::update_many()
        .col_expr(session::Column::EndedAt, sea_orm::sea_query::Expr::value(op.now()))
        .filter(session::Column::Id.eq(id))
        .filter(session::Column::EndedAt.is_null())
        .exec(op.db())
        .await?;
    op.record(Entry::done("logout"));
    op.commit().await
}
