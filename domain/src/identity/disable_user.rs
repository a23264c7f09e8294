//! Disabling an account: the person can't sign in any more, and is signed out now.

use praxis_entity::{ids::UserId, user_account};
use praxis_platform::{Op, Write, access::Permission, audit::Entry, session::end_sessions};
use sea_orm::ActiveValue::Set;

use super::set_password::change_user;
use crate::{Result, Violation, ViolationCode};

/// Disables a user and ends their sessions.
pub async fn disable_user(op: &Op<Write>, user: UserId) -> Result<user_account::Model> {
    op.require(Permission::USER_MANAGE)?;
    if op.actor().user == Some(user) {
        return Err(
            Violation::at(ViolationCode::Locked, &["id"], "Nobody disables their own account.").into()
        );
    }
    let change = user_account::ActiveModel { active: Set(false), ..Default::default() };
    let changed = change_user(op, user, change).await?;
    end_sessions(op, user, None).await?;
    op.record(Entry::done("user.disable").on("User", user.0, changed.version));
    Ok(changed)
}
