//! Changing the name under which a person is shown.

use praxis_entity::{ids::UserId, user_account};
use praxis_platform::{Op, Write, access::Permission, audit::Entry};
use sea_orm::{ActiveValue::Set, EntityTrait, QuerySelect, sea_query::LockType};

use super::set_password::{change_user, unknown};
use crate::{Result, clinic::text, error::Violations};

/// Changes the name of a user.
pub async fn rename_user(op: &Op<Write>, user: UserId, display_name: &str) -> Result<user_account::Model> {
    op.require(Permission::USER_MANAGE)?;
    let mut found = Violations::default();
    let display_name = text::line(&mut found, &["displayName"], display_name, 200);
    found.check()?;
    let stored = user_account::Entity::find_by_id(user).lock(LockType::NoKeyUpdate).one(op.db()).await?;
    let before = stored.ok_or_else(unknown)?;
    let change = user_account::ActiveModel { display_name: Set(display_name), ..Default::default() };
    let changed = change_user(op, user, change).await?;
    let entry = Entry::done("user.rename").on("User", user.0, changed.version);
    op.record(op.changed_here(entry, &before.display_name, &changed.display_name).await?);
    Ok(changed)
}
