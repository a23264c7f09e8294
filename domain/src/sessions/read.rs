//! Which sessions a person has.

use praxis_entity::{
    ids::{SessionId, UserId},
    session,
};
use praxis_platform::{Failure, Op, access::Permission, session::idle_limit};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::{Result, page::any_of};

/// Nobody looks through more of them.
const MOST: u64 = 100;

/// The actor's own sessions, last used first.
pub async fn own<M>(op: &Op<M>) -> Result<Vec<session::Model>> {
    let user = op.actor().user.ok_or(Failure::Unauthenticated)?;
    going_on(op, user).await
}

/// Another person's sessions, last used first.
pub async fn of_user<M>(op: &Op<M>, user: UserId) -> Result<Vec<session::Model>> {
    op.require(Permission::SESSION_MANAGE)?;
    going_on(op, user).await
}

/// Sessions by their ids, whether they go on or not. Own ones, and all to who manages sessions.
pub async fn by_ids<M>(op: &Op<M>, ids: &[SessionId]) -> Result<Vec<session::Model>> {
    let ids = ids.iter().map(|id| id.0).collect();
    let found = session::Entity::find().filter(any_of(session::Column::Id, ids)).all(op.db()).await?;
    let all = op.actor().may(Permission::SESSION_MANAGE);
    Ok(found.into_iter().filter(|session| all || Some(session.user_id) == op.actor().user).collect())
}

async fn going_on<M>(op: &Op<M>, user: UserId) -> Result<Vec<session::Model>> {
    let idle = idle_limit(op).await?;
    let sessions = session::Entity::find()
        .filter(session::Column::UserId.eq(user))
        .filter(session::Column::EndedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(op.now()))
        .filter(session::Column::LastSeenAt.gt(op.now() - idle))
        .order_by_desc(session::Column::LastSeenAt)
        .order_by_desc(session::Column::Id)
        .limit(MOST);
    Ok(sessions.all(op.db()).await?)
}
