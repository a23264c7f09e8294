//! A person changes their own password, who knows the one they have.

use praxis_entity::user_account;
use praxis_platform::{
    Failure, OpFactory,
    audit::{Entry, Outcome},
    session::verify_password,
};
use sea_orm::EntityTrait;

use super::set_password::{hashed, replace_password};
use crate::{Result, Violation, ViolationCode};

/// Changes the actor's own password. The session it is done from goes on, all others end.
pub async fn change_password(
    factory: &OpFactory,
    current: &str,
    password: &str,
) -> Result<user_account::Model> {
    let user = factory.actor().user.ok_or(Failure::Unauthenticated)?;
    if factory.actor().awaits_second_factor {
        return Err(Failure::SecondFactorRequired.into());
    }
    let read = factory.read();
    let account = user_account::Entity::find_by_id(user).one(read.db()).await?;
    let account = account.ok_or(Failure::Unauthenticated)?;
    // Checking takes long and needs no connection.
    read.release().await;
    if !verify_password(current, Some(&account.password_hash)).await? {
        let entry = Entry::done("user.set-password").on("User", user.0, account.version);
        read.record(entry.ended(Outcome::Denied)).await?;
        let message = "This is not your present password.";
        return Err(Violation::at(ViolationCode::Invalid, &["current"], message).into());
    }
    let person = [account.email.as_str(), account.display_name.as_str()];
    let password_hash = hashed(factory.tenant(), password, &person).await?;
    let op = factory.write().await?;
    let changed = replace_password(&op, user, password_hash).await?;
    op.commit().await?;
    Ok(changed)
}
