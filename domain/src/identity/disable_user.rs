//! Disabling an account: the person can't sign in any more, and is signed out now. And the way back.

use praxis_entity::{ids::UserId, user_account};
use praxis_platform::{Op, Write, access::Permission, audit::Entry, session::end_sessions};
use sea_orm::{ActiveValue::Set, EntityTrait};

use super::{
    link, owners, reach,
    set_password::{change_user, unknown},
};
use crate::{Result, Violation, ViolationCode};

/// Disables a user and ends their sessions.
pub async fn disable_user(op: &Op<Write>, user: UserId) -> Result<user_account::Model> {
    op.require(Permission::USER_MANAGE)?;
    if op.actor().user == Some(user) {
        return Err(
            Violation::at(ViolationCode::Locked, &["id"], "Nobody disables their own account.").into()
        );
    }
    known(op, user).await?;
    reach::require_user(op, user).await?;
    let owners = owners::lock(op).await?;
    let change = user_account::ActiveModel { active: Set(false), ..Default::default() };
    let changed = change_user(op, user, change).await?;
    owners.remain(op, "id").await?;
    end_sessions(op, user, None).await?;
    link::void(op, user).await?;
    op.record(Entry::done("user.disable").on("User", user.0, changed.version));
    Ok(changed)
}

/// Lets a disabled user sign in again.
pub async fn enable_user(op: &Op<Write>, user: UserId) -> Result<user_account::Model> {
    op.require(Permission::USER_MANAGE)?;
    known(op, user).await?;
    reach::require_user(op, user).await?;
    let change = user_account::ActiveModel { active: Set(true), ..Default::default() };
    let changed = change_user(op, user, change).await?;
    op.record(Entry::done("user.enable").on("User", user.0, changed.version));
    Ok(changed)
}

async fn known(op: &Op<Write>, user: UserId) -> Result<()> {
    user_account::Entity::find_by_id(user).one(op.db()).await?.ok_or_else(unknown)?;
    Ok(())
}
