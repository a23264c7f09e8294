//! Ending sessions before their time.

use praxis_entity::{
    ids::{IdentityProviderId, SessionId, UserId},
    session,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, sea_query::Expr};

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
    end_those(op, of(user, kept)).await
}

/// The same for those only that were opened at an identity provider.
pub async fn end_sessions_from(
    op: &Op<Write>,
    user: UserId,
    provider: IdentityProviderId,
    kept: Option<SessionId>,
) -> Result<u64, Failure> {
    end_those(op, of(user, kept).add(session::Column::IdentityProviderId.eq(provider))).await
}

fn of(user: UserId, kept: Option<SessionId>) -> Condition {
    Condition::all()
        .add(session::Column::UserId.eq(user))
        .add_option(kept.map(|kept| session::Column::Id.ne(kept)))
}

async fn end_those(op: &Op<Write>, which: Condition) -> Result<u64, Failure> {
    let ended = session::Entity::update_many()
        .col_expr(session::Column::EndedAt, Expr::value(op.now()))
        .filter(which)
        .filter(session::Column::EndedAt.is_null())
        .exec(op.db())
        .await?;
    Ok(ended.rows_affected)
}

/// Ends the actor's own session.
pub async fn logout(factory: &OpFactory) -> Result<(), Failure> {
    let Some(id) = factory.actor().session else { return Ok(()) };
    let op = factory.write_always().await?;
    end_session(&op, id).await?;
    op.record(Entry::done("logout").on("Session", id.0, 1));
    op.commit().await
}
