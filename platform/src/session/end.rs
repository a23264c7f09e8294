//! Ending sessions before their time.

use praxis_entity::{
    ids::{SessionId, UserId},
    session,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use crate::{Failure, Op, OpFactory, Write, audit::Entry};

/// Ends a session; `None` when there was none to end.
pub async fn end_session(op: &Op<Write>, id: SessionId) -> Result<Option<session::Model>, Failure> {
    let mut ended = session::Entity::update_many()
        .col_expr(session::Column::EndedAt, Expr::value(op.now()))
        .filter(session::Column::Id.eq(id))
        .filter(session::Column::EndedAt.is_null())
        .exec_with_returning(op.db())
        .await?;
    Ok(ended.pop())
}

/// Ends all sessions of a user, or all but the one that is to be kept.
pub async fn end_sessions(op: &Op<Write>, user: UserId, kept: Option<SessionId>) -> Result<u64, Failure> {
    let all = session::Entity::update_many()
        .col_expr(session::Column::EndedAt, Expr::value(op.now()))
        .filter(session::Column::UserId.eq(user))
        .filter(session::Column::EndedAt.is_null());
    let all = match kept {
        Some(kept) => all.filter(session::Column::Id.ne(kept)),
        None => all,
    };
    Ok(all.exec(op.db()).await?.rows_affected)
}

/// Ends the actor's own session.
pub async fn logout(factory: &OpFactory) -> Result<(), Failure> {
    let Some(id) = factory.actor().session else { return Ok(()) };
    let op = factory.write_always().await?;
    end_session(&op, id).await?;
    op.record(Entry::done("logout").on("Session", id.0, 1));
    op.commit().await
}
