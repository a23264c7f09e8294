//! The access review: who holds what where, since when, and when they were last here.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use praxis_entity::{
    ids::{MembershipId, RoleId, UserId},
    membership, role, session, user_account,
};
use praxis_platform::{Op, access::Permission};
use sea_orm::{Condition, EntityTrait, FromQueryResult, QueryFilter, QuerySelect};

use crate::{
    PageRequest, Result, Slice,
    page::{self, Ordering, any_of},
};

/// A role that somebody holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// The membership's id.
    pub id: MembershipId,
    /// Where and since when.
    pub membership: membership::Model,
    /// Who.
    pub user: user_account::Model,
    /// Which role.
    pub role: role::Model,
    /// When they last signed in, as far as sessions are kept.
    pub last_sign_in: Option<DateTime<Utc>>,
}

fn require<M>(op: &Op<M>) -> Result<()> {
    op.require(Permission::USER_READ)?;
    Ok(op.require(Permission::ROLE_READ)?)
}

/// A page of all roles that are held, in the order in which they were given.
pub async fn held<M>(op: &Op<M>, page: &PageRequest) -> Result<Slice<Held>> {
    require(op)?;
    let order = Ordering { column: None, id: membership::Column::Id, descending: false };
    let slice = page::list::<membership::Entity>(op.db(), Condition::all(), &order, page).await?;
    let rows = complete(op, slice.rows).await?;
    Ok(Slice { rows, has_next: slice.has_next, has_previous: slice.has_previous })
}

/// How many roles are held, at most `max`.
pub async fn count_held<M>(op: &Op<M>, max: u64) -> Result<i64> {
    require(op)?;
    Ok(page::count::<membership::Entity>(op.db(), Condition::all(), max).await?)
}

/// The memberships with these ids.
pub async fn held_by_ids<M>(op: &Op<M>, ids: &[MembershipId]) -> Result<Vec<Held>> {
    let wanted = any_of(membership::Column::Id, ids.iter().map(|id| id.0).collect());
    complete(op, membership::Entity::find().filter(wanted).all(op.db()).await?).await
}

#[derive(FromQueryResult)]
struct Seen {
    user_id: UserId,
    last: DateTime<Utc>,
}

async fn complete<M>(op: &Op<M>, rows: Vec<membership::Model>) -> Result<Vec<Held>> {
    let people: Vec<_> = rows.iter().map(|row| row.user_id.0).collect();
    let users = user_account::Entity::find().filter(any_of(user_account::Column::Id, people.clone()));
    let users: HashMap<UserId, user_account::Model> =
        users.all(op.db()).await?.into_iter().map(|user| (user.id, user)).collect();
    let ids = rows.iter().map(|row| row.role_id.0).collect();
    let roles = role::Entity::find().filter(any_of(role::Column::Id, ids)).all(op.db()).await?;
    let roles: HashMap<RoleId, role::Model> = roles.into_iter().map(|role| (role.id, role)).collect();
    let seen = session::Entity::find()
        .select_only()
        .column(session::Column::UserId)
        .column_as(sea_orm::sea_query::Expr::cust("max(created_at)"), "last")
        .filter(any_of(session::Column::UserId, people))
        .group_by(session::Column::UserId)
        .into_model::<Seen>()
        .all(op.db())
        .await?;
    let seen: HashMap<UserId, DateTime<Utc>> =
        seen.into_iter().map(|seen| (seen.user_id, seen.last)).collect();
    let complete = |membership: membership::Model| {
        Some(Held {
            id: membership.id,
            user: users.get(&membership.user_id)?.clone(),
            role: roles.get(&membership.role_id)?.clone(),
            last_sign_in: seen.get(&membership.user_id).copied(),
            membership,
        })
    };
    Ok(rows.into_iter().filter_map(complete).collect())
}
