//! Accounts with the roles they hold.

use std::collections::{BTreeSet, HashMap};

use praxis_entity::{
    ids::{RoleId, UserId},
    membership, role, user_account,
};
use praxis_platform::{Op, access::Permission};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder};

use crate::{
    PageRequest, Result, Slice,
    page::{self, Ordering, any_of},
};

/// All accounts by address, each with the codes of its roles, wherever they are held.
pub async fn users<M>(op: &Op<M>) -> Result<Vec<(user_account::Model, Vec<String>)>> {
    op.require(Permission::USER_READ)?;
    let accounts =
        user_account::Entity::find().order_by_asc(user_account::Column::Email).all(op.db()).await?;
    let roles = role::Entity::find().filter(role::Column::Retired.eq(false)).all(op.db()).await?;
    let codes: HashMap<RoleId, String> = roles.into_iter().map(|role| (role.id, role.code)).collect();
    let mut held: HashMap<UserId, BTreeSet<String>> = HashMap::new();
    for membership in membership::Entity::find().all(op.db()).await? {
        if let Some(code) = codes.get(&membership.role_id) {
            held.entry(membership.user_id).or_default().insert(code.clone());
        }
    }
    let with_roles = |account: user_account::Model| {
        let roles = held.remove(&account.id).unwrap_or_default();
        (account, roles.into_iter().collect())
    };
    Ok(accounts.into_iter().map(with_roles).collect())
}

/// A page of accounts, in the order in which they were made.
pub async fn user_page<M>(
    op: &Op<M>,
    active: Option<bool>,
    page: &PageRequest,
) -> Result<Slice<user_account::Model>> {
    op.require(Permission::USER_READ)?;
    let order = Ordering { column: None, id: user_account::Column::Id, descending: false };
    Ok(page::list::<user_account::Entity>(op.db(), wanted(active), &order, page).await?)
}

/// How many accounts there are, at most `max`.
pub async fn count_users<M>(op: &Op<M>, active: Option<bool>, max: u64) -> Result<i64> {
    op.require(Permission::USER_READ)?;
    Ok(page::count::<user_account::Entity>(op.db(), wanted(active), max).await?)
}

fn wanted(active: Option<bool>) -> Condition {
    Condition::all().add_option(active.map(|active| user_account::Column::Active.eq(active)))
}

/// The accounts with these ids.
pub async fn users_by_ids<M>(op: &Op<M>, ids: &[UserId]) -> Result<Vec<user_account::Model>> {
    op.require(Permission::USER_READ)?;
    let wanted = any_of(user_account::Column::Id, ids.iter().map(|id| id.0).collect());
    Ok(user_account::Entity::find().filter(wanted).all(op.db()).await?)
}

/// The roles that users hold and where, as far as the roles are in use.
pub async fn roles_of<M>(
    op: &Op<M>,
    users: &[UserId],
) -> Result<HashMap<UserId, Vec<(membership::Model, role::Model)>>> {
    op.require(Permission::USER_READ)?;
    let memberships = membership::Entity::find()
        .filter(any_of(membership::Column::UserId, users.iter().map(|id| id.0).collect()))
        .order_by_asc(membership::Column::CreatedAt)
        .order_by_asc(membership::Column::Id)
        .all(op.db())
        .await?;
    let roles = roles_by_ids(op, &memberships.iter().map(|held| held.role_id).collect::<Vec<_>>()).await?;
    let roles: HashMap<RoleId, role::Model> =
        roles.into_iter().filter(|role| !role.retired).map(|role| (role.id, role)).collect();
    let mut held: HashMap<UserId, Vec<_>> = HashMap::new();
    for membership in memberships {
        if let Some(role) = roles.get(&membership.role_id) {
            held.entry(membership.user_id).or_default().push((membership, role.clone()));
        }
    }
    Ok(held)
}

/// The roles with these ids, also those out of use.
pub async fn roles_by_ids<M>(op: &Op<M>, ids: &[RoleId]) -> Result<Vec<role::Model>> {
    op.require(Permission::USER_READ)?;
    let wanted = any_of(role::Column::Id, ids.iter().map(|id| id.0).collect());
    Ok(role::Entity::find().filter(wanted).all(op.db()).await?)
}
