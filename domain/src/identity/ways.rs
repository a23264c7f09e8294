//! Ways to sign in: nobody takes their own last one away.
//!
//! A mailed link is not counted: it leads back to an account that was lost, and where the mailbox is at the same
//! provider it leads nowhere.

use praxis_entity::{external_identity, identity_provider, passkey, user_account};
use praxis_platform::{Op, Write, session::NO_PASSWORD};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, sea_query::Query};

use crate::{Result, Violation, ViolationCode};

/// Refuses what left a person no way to sign in: a password, a passkey, or an identity at a provider that is in use.
/// To be called after it was taken away; the account has to be locked.
pub(crate) async fn remain(op: &Op<Write>, user: &user_account::Model, path: &str) -> Result<()> {
    if user.password_hash != NO_PASSWORD || has_passkey(op, user).await? || has_identity(op, user).await? {
        return Ok(());
    }
    let message = "You could not sign in any more: choose a password first, by a link for a forgotten one.";
    Err(Violation::at(ViolationCode::Locked, &[path], message).into())
}

async fn has_passkey(op: &Op<Write>, user: &user_account::Model) -> Result<bool> {
    let usable = passkey::Entity::find()
        .filter(passkey::Column::UserId.eq(user.id))
        .filter(passkey::Column::ClonedAt.is_null());
    Ok(usable.count(op.db()).await? > 0)
}

async fn has_identity(op: &Op<Write>, user: &user_account::Model) -> Result<bool> {
    let in_use = Query::select()
        .column(identity_provider::Column::Id)
        .from(identity_provider::Entity)
        .and_where(identity_provider::Column::Active.eq(true))
        .to_owned();
    let usable = external_identity::Entity::find()
        .filter(external_identity::Column::UserId.eq(user.id))
        .filter(external_identity::Column::ProviderId.in_subquery(in_use));
    Ok(usable.count(op.db()).await? > 0)
}
