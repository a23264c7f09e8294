//! Linking an identity at a provider to one's own account.

use praxis_entity::{session, user_account};
use praxis_platform::{
    OpFactory,
    session::oidc::{Error, Intent, Refusal, Returned},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::LockType};

/// Links the identity that somebody came back with. They showed a fresh second factor when they left, and came back
/// in the same session.
pub async fn link(factory: &OpFactory, returned: &Returned) -> Result<(), Error> {
    let &Intent::Link { user, session } = returned.intent() else { return Err(Refusal::Stale.into()) };
    returned
        .settle(factory, async |op| {
            // Locked, in the order of whoever unlinks: the account first.
            let user =
                user_account::Entity::find_by_id(user).lock(LockType::NoKeyUpdate).one(op.db()).await?;
            let user = user.filter(|user| user.active).ok_or(Refusal::Stale)?;
            // What a server remembers of a session may be a moment older than its end.
            let goes_on = session::Entity::find_by_id(session).filter(session::Column::EndedAt.is_null());
            goes_on.one(op.db()).await?.ok_or(Refusal::Stale)?;
            returned.link(op, &user).await
        })
        .await
}
