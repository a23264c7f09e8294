//! Which identity providers there are, and which the actor is known at.

use std::collections::HashSet;

use praxis_entity::{external_identity, identity_provider, ids::IdentityProviderId};
use praxis_platform::{Failure, Op, access::Permission};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::{Result, page::any_of};

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

/// The identity providers at which the actor is known.
pub async fn linked<M>(op: &Op<M>) -> Result<Vec<identity_provider::Model>> {
    let user = op.actor().user.ok_or(Failure::Unauthenticated)?;
    let identities = external_identity::Entity::find()
        .filter(external_identity::Column::UserId.eq(user))
        .all(op.db())
        .await?;
    let ids: HashSet<_> = identities.into_iter().map(|identity| identity.provider_id.0).collect();
    let found = identity_provider::Entity::find()
        .filter(any_of(identity_provider::Column::Id, ids.into_iter().collect()))
        .order_by_asc(identity_provider::Column::Name);
    Ok(found.all(op.db()).await?)
}
