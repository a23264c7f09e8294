//! Changing and removing an identity provider. Sessions that it opened go on; nobody new gets in by it.

use praxis_entity::{external_identity, identity_provider, ids::IdentityProviderId};
use praxis_platform::{Op, Write, access::Permission, audit::Entry};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value as Json, json};

use super::{add::sealed, rules};
use crate::{Detail, Result, Violation, ViolationCode, clinic::text, error::Violations};

/// What is to be different; what is absent stays.
///
/// The issuer never changes: identities belong to it, and those of another are other people.
#[derive(Default)]
pub struct Patch {
    /// Name as shown.
    pub name: Option<String>,
    /// What it calls us.
    pub client_id: Option<String>,
    /// A new secret, or none any more.
    pub client_secret: Option<Option<String>>,
    /// What is asked for besides `openid`.
    pub scopes: Option<Vec<String>>,
    /// Values of `acr` that stand for several factors.
    pub multi_factor_acr: Option<Vec<String>>,
    /// Whether people may sign in there.
    pub active: Option<bool>,
}

/// Changes an identity provider; needs a fresh second factor.
pub async fn change(
    op: &Op<Write>,
    id: IdentityProviderId,
    if_version: i32,
    patch: Patch,
) -> Result<identity_provider::Model> {
    op.require(Permission::IDENTITY_PROVIDER_MANAGE)?;
    op.require_step_up()?;
    let before = held(op, id, if_version).await?;
    let mut found = Violations::default();
    let mut row = identity_provider::ActiveModel { active: Set(before.active), ..Default::default() };
    if let Some(name) = &patch.name {
        row.name = Set(text::line(&mut found, &["name"], name, 100));
    }
    if let Some(client_id) = &patch.client_id {
        row.client_id = Set(text::line(&mut found, &["clientId"], client_id, 255));
    }
    if let Some(secret) = patch.client_secret {
        let secret = secret.map(|secret| rules::secret(&mut found, &secret));
        row.client_secret = Set(sealed(op, id, secret).await?);
    }
    if let Some(scopes) = &patch.scopes {
        row.scopes = Set(rules::words(&mut found, "scopes", scopes));
    }
    if let Some(values) = &patch.multi_factor_acr {
        row.multi_factor_acr = Set(rules::words(&mut found, "multiFactorAcr", values));
    }
    if let Some(active) = patch.active {
        row.active = Set(active);
    }
    found.check()?;
    let changed = identity_provider::Entity::update_many()
        .set(row)
        .filter(identity_provider::Column::Id.eq(id))
        .filter(identity_provider::Column::Version.eq(if_version))
        .exec_with_returning(op.db())
        .await?
        .pop();
    let Some(changed) = changed else { return Err(stale(before.version).into()) };
    let entry = Entry::done("identity-provider.change").on("IdentityProvider", id.0, changed.version);
    op.record(op.changed_here(entry, &Some(said(&before)), &Some(said(&changed))).await?);
    Ok(changed)
}

/// Removes an identity provider with the identities linked to it; needs a fresh second factor.
pub async fn remove(op: &Op<Write>, id: IdentityProviderId, if_version: i32) -> Result<IdentityProviderId> {
    op.require(Permission::IDENTITY_PROVIDER_MANAGE)?;
    op.require_step_up()?;
    let before = held(op, id, if_version).await?;
    external_identity::Entity::delete_many()
        .filter(external_identity::Column::ProviderId.eq(id))
        .exec(op.db())
        .await?;
    identity_provider::Entity::delete_by_id(id).exec(op.db()).await?;
    let entry = Entry::done("identity-provider.remove").on("IdentityProvider", id.0, before.version);
    op.record(op.changed_here(entry, &Some(said(&before)), &None).await?);
    Ok(id)
}

/// What the log says of a provider; of its secret, that there is one.
fn said(row: &identity_provider::Model) -> Json {
    json!({ "name": row.name, "clientId": row.client_id, "hasSecret": row.client_secret.is_some(),
        "scopes": row.scopes, "multiFactorAcr": row.multi_factor_acr, "active": row.active })
}

async fn held(op: &Op<Write>, id: IdentityProviderId, if_version: i32) -> Result<identity_provider::Model> {
    let row = identity_provider::Entity::find_by_id(id).one(op.db()).await?;
    let row = row.ok_or_else(|| Violation::unknown("id"))?;
    if row.version == if_version { Ok(row) } else { Err(stale(row.version).into()) }
}

fn stale(current: i32) -> Violation {
    let message = "Somebody else changed this meanwhile.";
    Violation::at(ViolationCode::VersionConflict, &["ifVersion"], message).with(Detail::Version { current })
}
