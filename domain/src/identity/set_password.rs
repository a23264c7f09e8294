//! Setting a person's password. All their sessions end but the one that it was done from.

use praxis_entity::{ids::UserId, user_account};
use praxis_platform::{
    Op, Write,
    access::Permission,
    audit::Entry,
    mail::{self, NewMail},
    session::{PasswordRefused, end_sessions, hash_password},
    tenancy::Tenant,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;

use super::{link, reach};
use crate::{Result, Violation, ViolationCode};

/// Sets the password of a user.
pub async fn set_password(op: &Op<Write>, user: UserId, password: &str) -> Result<user_account::Model> {
    op.require(Permission::USER_MANAGE)?;
    let known = user_account::Entity::find_by_id(user).one(op.db()).await?.ok_or_else(unknown)?;
    reach::require_user(op, user).await?;
    let hash = hashed(op.tenant(), password, &[&known.email, &known.display_name]).await?;
    replace_password(op, user, hash).await
}

/// Puts a new hash in place of the old one, ends all sessions but the actor's own, makes all mailed links
/// useless, and says so by mail.
pub(super) async fn replace_password(
    op: &Op<Write>,
    user: UserId,
    password_hash: String,
) -> Result<user_account::Model> {
    let change = user_account::ActiveModel { password_hash: Set(password_hash), ..Default::default() };
    let changed = change_user(op, user, change).await?;
    end_sessions(op, user, op.actor().session).await?;
    link::void(op, user).await?;
    let facts = json!({ "name": changed.display_name, "at": link::in_words(op, op.now()) });
    let notice = NewMail {
        to: changed.email.clone(),
        template: "password_changed",
        locale: None,
        facts: facts.as_object().cloned().unwrap_or_default(),
        dedupe_key: None,
    };
    mail::enqueue(op, notice).await?;
    op.record(Entry::done("user.set-password").on("User", user.0, changed.version));
    Ok(changed)
}

/// The hash of a password, if it may be used by this person at this clinic.
pub(super) async fn hashed(tenant: &Tenant, password: &str, person: &[&str]) -> Result<String> {
    let about: Vec<&str> =
        person.iter().copied().chain([tenant.display_name.as_str(), tenant.slug.as_str()]).collect();
    hash_password(password, &about).await?.map_err(|refused| {
        let code = match refused {
            PasswordRefused::TooShort => ViolationCode::TooShort,
            PasswordRefused::TooLong => ViolationCode::TooLong,
            PasswordRefused::Common | PasswordRefused::Expected => ViolationCode::TooCommon,
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
    Ok(changed.pop().ok_or_else(unknown)?)
}

/// There is no such user.
pub(super) fn unknown() -> Violation {
    Violation::at(ViolationCode::NotFound, &["id"], "There is no such user.")
}
