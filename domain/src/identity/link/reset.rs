//! A new password for somebody who forgot theirs. It opens no session: they sign in as everybody does,
//! second factor included.

use praxis_entity::user_account;
use praxis_platform::{
    OpFactory,
    audit::{Entry, Outcome},
};

use super::{
    super::set_password::{hashed, replace_password},
    Purpose, consume, hash, owner, request, useless,
};
use crate::Result;

/// Mails a link for a new password to whoever has the address.
pub async fn request_reset(system: &OpFactory, address: &str) -> Result<()> {
    request(system, address, Purpose::PasswordReset, None).await
}

/// Sets the password; what goes with that is [`replace_password`]'s.
pub async fn reset_password(system: &OpFactory, secret: &str, password: &str) -> Result<user_account::Model> {
    let read = system.read();
    let hash = hash(&read, secret).await?;
    let account = owner(&read, Purpose::PasswordReset, &hash, None).await?;
    read.release().await;
    let Some(account) = account else {
        read.record(Entry::done("user.set-password").ended(Outcome::Denied)).await?;
        return Err(useless().into());
    };
    let person = [account.email.as_str(), account.display_name.as_str()];
    let password_hash = hashed(system.tenant(), password, &person).await?;

    let op = system.write().await?;
    let Some(user) = consume(&op, Purpose::PasswordReset, &hash, None).await? else {
        op.rollback().await?;
        return Err(useless().into());
    };
    let changed = replace_password(&op, user.id, password_hash).await?;
    op.commit().await?;
    Ok(changed)
}
