//! Renewing a session with a refresh token: each token works once.
//!
//! A token that is used again was stolen, or its owner was: nobody can tell which of the two holds
//! its successor, so the whole family ends with its session. One second use is no theft: the
//! client's own retry after an answer that got lost. It is known by the name that the client gave
//! the attempt, and gets the same successor, which is made from the token and never stored.

use chrono::TimeDelta;
use data_encoding::BASE64URL_NOPAD;
use praxis_entity::{
    ids::{SessionId, UserId},
    refresh_token, session,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, LockType},
};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{
    SessionKind, SignedIn, access_token,
    end::end_session,
    live::{Live, live},
};
use crate::{
    Failure, Op, OpFactory, Write,
    audit::{Entry, Outcome},
    factor,
    vault::{IndexField, crypto},
};

/// A refresh token that is not used for this long is over, whatever its session's limits.
const LIFETIME: TimeDelta = TimeDelta::days(14);
/// For how long an attempt may be repeated.
const LEEWAY: TimeDelta = TimeDelta::seconds(10);

/// The first token of a new session's family.
pub(super) async fn begin_family(
    op: &Op<Write>,
    session: &session::Model,
) -> Result<Zeroizing<String>, Failure> {
    sweep(op, session.user_id).await?;
    let token = Zeroizing::new(BASE64URL_NOPAD.encode(&crypto::random::<32>()?));
    insert(op, session, 1, &token).await?;
    Ok(token)
}

/// Renews the session of a refresh token. `attempt` is what the client calls this attempt.
pub async fn refresh(system: &OpFactory, token: &str, attempt: Option<&str>) -> Result<SignedIn, Failure> {
    let op = system.write_always().await?;
    // What anybody can make up leaves no entry; the log would be theirs to fill.
    let Some((spent, first)) = spend(&op, token, attempt).await? else {
        op.rollback().await?;
        return Err(Failure::Unauthenticated);
    };
    let mut session = session::Entity::find_by_id(spent.session_id);
    QuerySelect::query(&mut session).lock_with_tables(LockType::Update, [session::Entity]);
    let Some(Live { session, user, .. }) = live(&op, session).await?.filter(|_| spent.expires_at > op.now())
    else {
        return denied(system, op).await;
    };
    if !first && !is_retry(&op, &spent, attempt).await? {
        end_session(&op, session.id).await?;
        let reused = Entry::done("session.token-reused").ended(Outcome::Denied);
        op.record(reused.on("Session", session.id.0, spent.generation));
        op.commit().await?;
        return Err(Failure::Unauthenticated);
    }
    let successor = successor(&op, session.id, token).await?;
    if first {
        insert(&op, &session, spent.generation + 1, &successor).await?;
    }
    let access = access_token::issue(&op, user.id, session.id, session.expires_at).await?;
    let must_enrol = session.second_factor_at.is_none() && factor::is_required(op.db(), user.id).await?;
    op.record(Entry::done("session.refresh").on("Session", session.id.0, spent.generation + 1));
    op.commit().await?;
    Ok(SignedIn {
        kind: SessionKind::Bearer,
        token: access.token,
        expires_at: access.expires_at,
        refresh_token: Some(successor),
        session: session.id,
        session_expires_at: session.expires_at,
        user: user.id,
        must_enrol,
    })
}

async fn denied<T>(system: &OpFactory, op: Op<Write>) -> Result<T, Failure> {
    op.rollback().await?;
    system.read().record(Entry::done("session.refresh").ended(Outcome::Denied)).await?;
    Err(Failure::Unauthenticated)
}

/// Spends the token, and says whether this was its first use. A second use waits for the first to commit.
async fn spend(
    op: &Op<Write>,
    token: &str,
    attempt: Option<&str>,
) -> Result<Option<(refresh_token::Model, bool)>, Failure> {
    let Some(hash) = op.token(IndexField::RefreshToken, token).await? else { return Ok(None) };
    let spent = refresh_token::Entity::update_many()
        .col_expr(refresh_token::Column::SpentAt, Expr::value(op.now()))
        .col_expr(refresh_token::Column::AttemptHash, Expr::value(attempt_hash(op, attempt).await?))
        .filter(refresh_token::Column::TokenHash.eq(hash.clone()))
        .filter(refresh_token::Column::SpentAt.is_null())
        .exec_with_returning(op.db())
        .await?
        .pop();
    if let Some(spent) = spent {
        return Ok(Some((spent, true)));
    }
    let known =
        refresh_token::Entity::find().filter(refresh_token::Column::TokenHash.eq(hash)).one(op.db()).await?;
    Ok(known.map(|known| (known, false)))
}

async fn is_retry(
    op: &Op<Write>,
    spent: &refresh_token::Model,
    attempt: Option<&str>,
) -> Result<bool, Failure> {
    let recent = spent.spent_at.is_some_and(|at| op.now() < at + LEEWAY);
    let named = attempt_hash(op, attempt).await?;
    Ok(recent && named.is_some() && named == spent.attempt_hash)
}

async fn attempt_hash(op: &Op<Write>, attempt: Option<&str>) -> Result<Option<Vec<u8>>, Failure> {
    match attempt {
        Some(attempt) => op.token(IndexField::Idempotency, &format!("refresh:{attempt}")).await,
        None => Ok(None),
    }
}

/// The token after this one. Only who has the token and the clinic's key can tell it.
async fn successor(op: &Op<Write>, session: SessionId, token: &str) -> Result<Zeroizing<String>, Failure> {
    let made = op.token(IndexField::RefreshSuccessor, &format!("{session}:{token}")).await?;
    Ok(Zeroizing::new(BASE64URL_NOPAD.encode(&made.ok_or(Failure::KeyUnavailable)?)))
}

async fn insert(
    op: &Op<Write>,
    session: &session::Model,
    generation: i32,
    token: &str,
) -> Result<(), Failure> {
    let hash = op.token(IndexField::RefreshToken, token).await?.ok_or(Failure::KeyUnavailable)?;
    refresh_token::Entity::insert(refresh_token::ActiveModel {
        id: Set(op.new_id()),
        session_id: Set(session.id),
        generation: Set(generation),
        token_hash: Set(hash),
        created_at: Set(op.now()),
        expires_at: Set(session.expires_at.min(op.now() + LIFETIME)),
        spent_at: Set(None),
        attempt_hash: Set(None),
    })
    .exec_without_returning(op.db())
    .await?;
    Ok(())
}

/// Deletes what is left of the user's families that are over: nothing can be learnt from it any more.
async fn sweep(op: &Op<Write>, user: UserId) -> Result<(), Failure> {
    let own = Expr::cust_with_values::<_, Uuid, _>(
        "session_id IN (SELECT id FROM session WHERE user_id = $1)",
        [user.0],
    );
    refresh_token::Entity::delete_many()
        .filter(refresh_token::Column::ExpiresAt.lt(op.now()))
        .filter(own)
        .exec(op.db())
        .await?;
    Ok(())
}
