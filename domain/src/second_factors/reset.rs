//! Taking away somebody's second factors, because they lost them all.

use praxis_entity::{factor_guard, ids::UserId, passkey, recovery_code, totp, user_account};
use praxis_platform::{Op, Write, access::Permission, audit::Entry, factor::notice, session::end_sessions};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::{Result, Violation, ViolationCode, identity::reach};

/// Takes them away and ends the user's sessions. If a role of theirs asks for one, their next
/// session can only enrol.
pub async fn reset_second_factors(op: &Op<Write>, user: UserId) -> Result<user_account::Model> {
    op.require(Permission::USER_MANAGE)?;
    op.require_step_up()?;
    if op.actor().user == Some(user) {
        let message = "Nobody resets their own second factors.";
        return Err(Violation::at(ViolationCode::Locked, &["userId"], message).into());
    }
    let account = user_account::Entity::find_by_id(user).one(op.db()).await?;
    let account = account.ok_or_else(|| Violation::unknown("userId"))?;
    // Whoever also knew the password could take the account over: nobody gets above themselves so.
    reach::require_user(op, user).await?;
    totp::Entity::delete_by_id(user).exec(op.db()).await?;
    passkey::Entity::delete_many().filter(passkey::Column::UserId.eq(user)).exec(op.db()).await?;
    recovery_code::Entity::delete_many().filter(recovery_code::Column::UserId.eq(user)).exec(op.db()).await?;
    factor_guard::Entity::delete_by_id(user).exec(op.db()).await?;
    end_sessions(op, user, None).await?;
    op.record(Entry::done("user.reset-second-factors").on("User", user.0, account.version));
    notice::changed(op, &account, "they were taken away by an administrator").await?;
    Ok(account)
}
