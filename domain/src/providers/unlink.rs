//! Unlinking an identity: it opens the account no more, and what it opened is over.

use praxis_entity::{
    external_identity, identity_provider,
    ids::{IdentityProviderId, SessionId, UserId},
    user_account,
};
use praxis_platform::{
    Failure, Op, Write,
    access::Permission,
    audit::Entry,
    session::{
        end_sessions_from,
        oidc::notice::{self, Change},
    },
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::LockType};
use serde_json::json;

use crate::{
    Result, Violation, ViolationCode,
    identity::{reach, ways},
};

/// Unlinks one's own identity at a provider; needs a fresh second factor, and another way to sign in. Sessions that
/// came from it end, but for the one that asks.
pub async fn unlink(op: &Op<Write>, provider: IdentityProviderId) -> Result<()> {
    op.require_step_up()?;
    let user = op.actor().user.ok_or(Failure::Unauthenticated)?;
    let user = locked(op, user).await?.ok_or(Failure::Unauthenticated)?;
    take(op, &user, provider, Change::Unlinked, op.actor().session).await?;
    ways::remain(op, &user, "providerId").await
}

/// Unlinks somebody else's identity at a provider, and ends all sessions that came from it; needs a fresh second
/// factor. It may be their last way to sign in: a link for a new password is one again.
pub async fn unlink_user(
    op: &Op<Write>,
    user: UserId,
    provider: IdentityProviderId,
) -> Result<user_account::Model> {
    op.require(Permission::USER_MANAGE)?;
    op.require_step_up()?;
    if op.actor().user == Some(user) {
        let message = "One's own identities are unlinked by externalIdentityUnlink.";
        return Err(Violation::at(ViolationCode::Locked, &["userId"], message).into());
    }
    let account = locked(op, user).await?.ok_or_else(|| Violation::unknown("userId"))?;
    reach::require_user(op, user).await?;
    take(op, &account, provider, Change::TakenAway, None).await?;
    Ok(account)
}

/// The account, locked: a sign-in by the identity comes before, and ends with the others, or is refused.
async fn locked(op: &Op<Write>, user: UserId) -> Result<Option<user_account::Model>> {
    Ok(user_account::Entity::find_by_id(user).lock(LockType::NoKeyUpdate).one(op.db()).await?)
}

async fn take(
    op: &Op<Write>,
    user: &user_account::Model,
    id: IdentityProviderId,
    change: Change,
    kept: Option<SessionId>,
) -> Result<()> {
    let provider = identity_provider::Entity::find_by_id(id).one(op.db()).await?;
    let taken = external_identity::Entity::delete_many()
        .filter(external_identity::Column::ProviderId.eq(id))
        .filter(external_identity::Column::UserId.eq(user.id))
        .exec_with_returning(op.db())
        .await?
        .pop();
    let (provider, taken) = provider.zip(taken).ok_or_else(|| Violation::unknown("providerId"))?;
    end_sessions_from(op, user.id, id, kept).await?;
    let identity = json!({ "provider": id.to_string(), "subject": taken.subject });
    let entry = Entry::done("identity.unlink").on("User", user.id.0, user.version);
    op.record(op.changed_here(entry, &Some(identity), &None).await?);
    Ok(notice::changed(op, user, &provider, change).await?)
}
