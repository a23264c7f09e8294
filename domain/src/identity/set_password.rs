//! Setting another person's password. All their sessions end.

use praxis_entity::{ids::UserId, session, user_account};
use praxis_platform::{
    Op, Write,
    access::Permission,
    audit::Entry,
    session::{PasswordRefused, hash_password},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use crate::{Result, Violation, ViolationCode};

/// Sets the password of a user.
pub async fn set_password(op: &Op<Write>, user: UserId, password: &str) -> Result<user_account::Model> {
    op.require(Permission::USER_MANAGE)?;
    let change =
        user_account::ActiveModel { password_hash: Set(hashed(password).await?), ..Default::default() };
    let changed = change_user(op, user, change).await?;
    end_sessions(op, user).await?;
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

/// Ends whatever sessions the user has.
pub(super) async fn end_sessions(op: &Op<Write>, user: UserId) -> Result<()> {
    session::Entity::update_many()
        .col_expr(session::Column::EndedAt, Expr::value(op.now()))
        .filter(session::Column::UserId.eq(user))
        .filter(session::Column::EndedAt.is_null())
        .exec(op.db())
        .await?;
    Ok(())
}
