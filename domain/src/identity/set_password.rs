//! Setting a person's password. All their sessions end but the one that it was done from.

use praxis_entity::{ids::UserId, user_account};
use praxis_platform::{
    Op, Write,
    access::Permission,
    audit::Entry,
    session::{PasswordRefused, end_sessions, hash_password},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use crate::{Result, Violation, ViolationCode};

/// Sets the password of a user.
pub async fn set_password(op: &Op<Write>, user: UserId, password: &str) -> Result<user_account::Model> {
    op.require(Permission::USER_MANAGE)?;
    let change =
        user_account::ActiveModel { password_hash: Set(hashed(password).await?), ..Default::default() };
    let changed = change_user(op, user, change).await?;
    end_sessions(op, user, op.actor().session).await?;
    op.record(Entry::done("user.set-password").on("User", user.0, changed.version));
    Ok(changed)
}

/// The hash of a password, if it may be used.
pub(super) async fn hashed(password: &str) -> Result<String> {
    hash_password(password).await?.map_err(|refused| {
        let code = match refused {
            PasswordRefused::TooShort => ViolationCode::Invalid,
            PasswordRefused::TooLong => ViolationCode::TooLong,
        };
        Violation::at(code, &["password"], refused.to_string()).into()
    })
}

/// Changes the row of a user.
pub(super) async fn change_user(
    op: &Op<Write>,
    user: UserId,
    change: user_account::ActiveModel,
) -> Result<user_account::Model> {
    let update = user_account::Entity::update_many().set(change).filter(user_account::Column::Id.eq(user));
    let mut changed = update.exec_with_returning(op.db()).await?;
    changed
        .pop()
        .ok_or_else(|| Violation::at(ViolationCode::NotFound, &["id"], "There is no such user.").into())
}
