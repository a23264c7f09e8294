//! Accounts with the roles they hold.

use std::collections::{BTreeSet, HashMap};

use praxis_entity::{
    ids::{RoleId, UserId},
    membership, role, user_account,
};
use praxis_platform::{Op, access::Permission};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::Result;

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
