//! Adding an identity provider.

use praxis_entity::{
    identity_provider,
    ids::IdentityProviderId,
    value::{ProviderSecret, Sealed},
};
use praxis_platform::{Op, Write, access::Permission, audit::Entry};
use sea_orm::{ActiveValue::Set, EntityTrait};

use super::rules;
use crate::{Result, Violation, ViolationCode, clinic::text, error::Violations, rows::refused};

/// A new identity provider.
pub struct NewProvider {
    /// Name as shown to people who sign in.
    pub name: String,
    /// Its issuer, exactly as it calls itself.
    pub issuer: String,
    /// What it calls us.
    pub client_id: String,
    /// How we prove to it who we are; a public client has none.
    pub client_secret: Option<String>,
    /// What is asked for besides `openid`.
    pub scopes: Vec<String>,
    /// Values of `acr` that stand for several factors.
    pub multi_factor_acr: Vec<String>,
}

/// Adds an identity provider. Needs a fresh second factor: who chooses it chooses who gets in.
pub async fn add(op: &Op<Write>, new: NewProvider) -> Result<identity_provider::Model> {
    op.require(Permission::IDENTITY_PROVIDER_MANAGE)?;
    op.require_step_up()?;
    let mut found = Violations::default();
    let name = text::line(&mut found, &["name"], &new.name, 100);
    let issuer = rules::issuer(&mut found, &new.issuer);
    let client_id = text::line(&mut found, &["clientId"], &new.client_id, 255);
    let secret = new.client_secret.as_deref().map(|secret| rules::secret(&mut found, secret));
    let scopes = rules::words(&mut found, "scopes", &new.scopes);
    let multi_factor_acr = rules::words(&mut found, "multiFactorAcr", &new.multi_factor_acr);
    found.check()?;

    let id = IdentityProviderId(op.new_id());
    let row = identity_provider::ActiveModel {
        id: Set(id),
        created_at: Set(op.now()),
        updated_at: Set(op.now()),
        name: Set(name),
        issuer: Set(issuer),
        client_id: Set(client_id),
        client_secret: Set(sealed(op, id, secret).await?),
        scopes: Set(scopes),
        multi_factor_acr: Set(multi_factor_acr),
        active: Set(true),
        ..Default::default()
    };
    let added = identity_provider::Entity::insert(row).exec_with_returning(op.db()).await;
    let added = added.map_err(|error| {
        refused(error, |constraint| {
            (constraint == "identity_provider_issuer_unique").then(|| {
                let message = "This issuer is an identity provider already.";
                Violation::at(ViolationCode::AlreadyExists, &["issuer"], message)
            })
        })
    })?;
    op.record(Entry::done("identity-provider.add").on("IdentityProvider", id.0, added.version));
    Ok(added)
}

/// The secret as it is stored.
pub(super) async fn sealed(
    op: &Op<Write>,
    id: IdentityProviderId,
    secret: Option<String>,
) -> Result<Option<Sealed<ProviderSecret>>> {
    let Some(secret) = secret else { return Ok(None) };
    let key = op.clinic_key().await?;
    let place = op.place("identity_provider", id.0, op.tenant().uuid());
    Ok(Some(op.seal(&key, &place, &ProviderSecret(secret))?))
}
