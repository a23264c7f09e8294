//! Which identity providers there are, and who is known at which.

use std::collections::HashMap;

use praxis_entity::{
    external_identity, identity_provider,
    ids::{IdentityProviderId, UserId},
};
use praxis_platform::{Failure, Op, access::Permission};
use sea_orm::{EntityTrait, QueryFilter, QueryOrder};

use crate::{Result, page::any_of};

/// Who somebody is at a provider.
#[derive(Debug, Clone)]
pub struct Linked {
    /// Who.
    pub identity: external_identity::Model,
    /// Where.
    pub provider: identity_provider::Model,
}

/// All identity providers of the clinic, by name.
pub async fn all<M>(op: &Op<M>) -> Result<Vec<identity_provider::Model>> {
    op.require(Permission::IDENTITY_PROVIDER_READ)?;
    let all = identity_provider::Entity::find().order_by_asc(identity_provider::Column::Name);
    Ok(all.all(op.db()).await?)
}

/// Identity providers by their ids.
pub async fn by_ids<M>(op: &Op<M>, ids: &[IdentityProviderId]) -> Result<Vec<identity_provider::Model>> {
    op.require(Permission::IDENTITY_PROVIDER_READ)?;
    let ids = ids.iter().map(|id| id.0).collect();
    let found = identity_provider::Entity::find().filter(any_of(identity_provider::Column::Id, ids));
    Ok(found.all(op.db()).await?)
}

/// The actor's own identities, by the name of the provider.
pub async fn own_identities<M>(op: &Op<M>) -> Result<Vec<Linked>> {
    let user = op.actor().user.ok_or(Failure::Unauthenticated)?;
    Ok(linked(op, &[user]).await?.remove(&user).unwrap_or_default())
}

/// The identities of users, by the name of the provider.
pub async fn identities_of<M>(op: &Op<M>, users: &[UserId]) -> Result<HashMap<UserId, Vec<Linked>>> {
    op.require(Permission::USER_READ)?;
    linked(op, users).await
}

async fn linked<M>(op: &Op<M>, users: &[UserId]) -> Result<HashMap<UserId, Vec<Linked>>> {
    let users = users.iter().map(|id| id.0).collect();
    let identities = external_identity::Entity::find()
        .filter(any_of(external_identity::Column::UserId, users))
        .all(op.db())
        .await?;
    let mut of: HashMap<UserId, Vec<Linked>> = HashMap::new();
    if identities.is_empty() {
        return Ok(of);
    }
    // A clinic has few of them.
    let providers = identity_provider::Entity::find().order_by_asc(identity_provider::Column::Name);
    for provider in providers.all(op.db()).await? {
        for identity in identities.iter().filter(|identity| identity.provider_id == provider.id) {
            let linked = Linked { identity: identity.clone(), provider: provider.clone() };
            of.entry(identity.user_id).or_default().push(linked);
        }
    }
    Ok(of)
}
