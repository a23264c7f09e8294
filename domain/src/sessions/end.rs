//! Ending sessions: one, or all others.

use praxis_entity::{
    ids::{SessionId, UserId},
    session,
};
use praxis_platform::{
    Failure, Op, Write,
    access::Permission,
    audit::Entry,
    session::{end_session, end_sessions},
};

use super::by_ids;
use crate::{Result, Violation};

/// Ends a session: one's own, or anybody's for who manages sessions.
pub async fn end(op: &Op<Write>, id: SessionId) -> Result<session::Model> {
    let known = !by_ids(op, &[id]).await?.is_empty();
    let ended = if known { end_session(op, id).await? } else { None };
    let Some(ended) = ended else { return Err(Violation::unknown("id").into()) };
    op.record(Entry::done("session.end").on("Session", id.0, 1));
    Ok(ended)
}

/// Ends all sessions of a person but the one that this is done from, and says how many.
pub async fn end_others(op: &Op<Write>, user: Option<UserId>) -> Result<u64> {
    let own = op.actor().user.ok_or(Failure::Unauthenticated)?;
    let user = user.unwrap_or(own);
    if user != own {
        op.require(Permission::SESSION_MANAGE)?;
    }
    let ended = end_sessions(op, user, op.actor().session).await?;
    op.record(Entry::done("session.end-others").on("User", user.0, 1));
    Ok(ended)
}
