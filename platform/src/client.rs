//! Programs that prove who they are with a secret, and get a token for ten minutes.
//!
//! A token is not stored: it says which program it was given to and when, under a code that only
//! this clinic's key makes. The program's row is read at every use (remembered for two seconds), so
//! retiring it or throwing its secret away takes effect at once.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64URL_NOPAD;
use moka::sync::Cache;
use praxis_entity::{
    api_client::{self, ApiClientStatus},
    api_client_secret,
    ids::{ApiClientId, TenantId},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    Failure, Op, OpFactory, Read,
    access::{Actor, ActorKind, ClientGrant, Grant, Permission},
    audit::{Entry, Outcome},
    rates::Rate,
    vault::{IndexField, crypto},
};

/// How long a token is good.
pub const TOKEN_LIFE: TimeDelta = TimeDelta::minutes(10);
/// Tells a program's secret from other texts, for those who search code for leaked ones.
const SECRET_PREFIX: &str = "pcs_";
/// Tells a program's token from a person's.
const PREFIX: &str = "pcl_";
/// Retiring must take effect within two seconds.
const REMEMBERED: Duration = Duration::from_secs(2);

/// The id or the secret is wrong, or the program is retired. Says no more than that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("client id or secret is wrong")]
pub struct ClientRefused;

/// A secret, told once.
pub type ClientSecret = Zeroizing<String>;

/// A new secret, and what is kept of it.
pub async fn new_secret<Mode>(op: &Op<Mode>) -> Result<(ClientSecret, Vec<u8>), Failure> {
    let random = crypto::random::<32>()?;
    let secret = Zeroizing::new(format!("{SECRET_PREFIX}{}", BASE64URL_NOPAD.encode(&random)));
    let hash = op.token(IndexField::ClientSecret, &secret).await?.ok_or(Failure::KeyUnavailable)?;
    Ok((secret, hash))
}

/// Whether a token is a program's.
pub fn is_token(token: &str) -> bool {
    token.starts_with(PREFIX)
}

/// A token for a program that shows its id and its secret. The factory must be the system's.
pub async fn issue(
    system: &OpFactory,
    id: &str,
    secret: &str,
) -> Result<Result<Zeroizing<String>, ClientRefused>, Failure> {
    let op = system.read();
    let Some(client) = proved(&op, id, secret).await? else {
        op.record(Entry::done("client.token").ended(Outcome::Denied)).await?;
        return Ok(Err(ClientRefused));
    };
    op.record(Entry::done("client.token").on("ApiClient", client.id.0, client.version)).await?;
    let issued = op.now();
    let mut bytes = client.id.0.as_bytes().to_vec();
    bytes.extend(issued.timestamp_millis().to_be_bytes());
    bytes.extend(code(&op, client.id.0, issued.timestamp_millis()).await?);
    Ok(Ok(Zeroizing::new(format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&bytes)))))
}

async fn proved(op: &Op<Read>, id: &str, secret: &str) -> Result<Option<api_client::Model>, Failure> {
    let Some(token) = op.token(IndexField::ClientSecret, secret).await? else { return Ok(None) };
    let Ok(id) = id.parse::<ApiClientId>() else { return Ok(None) };
    let secret = api_client_secret::Entity::find()
        .filter(api_client_secret::Column::SecretHash.eq(token))
        .filter(api_client_secret::Column::ClientId.eq(id))
        .one(op.db())
        .await?
        .filter(|secret| secret.expires_at.is_none_or(|end| op.now() < end));
    if secret.is_none() {
        return Ok(None);
    }
    let client = api_client::Entity::find_by_id(id).one(op.db()).await?;
    Ok(client.filter(|client| client.status == ApiClientStatus::Active))
}

async fn code(op: &Op<Read>, id: Uuid, issued: i64) -> Result<Vec<u8>, Failure> {
    op.token(IndexField::ClientToken, &format!("{id}|{issued}")).await?.ok_or(Failure::KeyUnavailable)
}

/// From tokens to programs.
pub struct ClientAuthenticator(Cache<(TenantId, ApiClientId), Arc<Remembered>>);

struct Remembered {
    actor: Arc<Actor>,
    tokens_after: DateTime<Utc>,
}

impl Default for ClientAuthenticator {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(10_000).time_to_live(REMEMBERED).build())
    }
}

impl ClientAuthenticator {
    /// The program of a token. The factory must be the system's.
    pub async fn actor(&self, system: &OpFactory, token: &str) -> Result<Arc<Actor>, Failure> {
        let op = system.read();
        let (id, issued) = self.given_out(&op, token).await?.ok_or(Failure::Unauthenticated)?;
        let now = op.now();
        if !(issued <= now && now < issued + TOKEN_LIFE) {
            return Err(Failure::Unauthenticated);
        }
        let key = (op.tenant().id, id);
        let remembered = match self.0.get(&key) {
            Some(remembered) => remembered,
            None => {
                let client = api_client::Entity::find_by_id(id).one(op.db()).await?;
                let client = client
                    .filter(|client| client.status == ApiClientStatus::Active)
                    .ok_or(Failure::Unauthenticated)?;
                let remembered = Arc::new(Remembered {
                    tokens_after: client.tokens_after,
                    actor: Arc::new(actor(client)),
                });
                self.0.insert(key, Arc::clone(&remembered));
                remembered
            }
        };
        // A token holds milliseconds, the database more.
        if issued.timestamp_millis() < remembered.tokens_after.timestamp_millis() {
            return Err(Failure::Unauthenticated);
        }
        Ok(Arc::clone(&remembered.actor))
    }

    /// What a token says, if it was given out here.
    async fn given_out(
        &self,
        op: &Op<Read>,
        token: &str,
    ) -> Result<Option<(ApiClientId, DateTime<Utc>)>, Failure> {
        let bytes = token.strip_prefix(PREFIX).and_then(|text| BASE64URL_NOPAD.decode(text.as_bytes()).ok());
        let Some(bytes) = bytes else { return Ok(None) };
        let Some((id, rest)) = bytes.split_first_chunk::<16>() else { return Ok(None) };
        let Some((issued, shown)) = rest.split_first_chunk::<8>() else { return Ok(None) };
        let (id, issued) = (Uuid::from_bytes(*id), i64::from_be_bytes(*issued));
        let made = code(op, id, issued).await?;
        match (made.as_array::<32>(), shown.as_array::<32>()) {
            (Some(made), Some(shown)) if crypto::same(made, shown) => {}
            _ => return Ok(None),
        }
        Ok(DateTime::from_timestamp_millis(issued).map(|issued| (ApiClientId(id), issued)))
    }
}

fn actor(client: api_client::Model) -> Actor {
    let positive = |number: i32| u32::try_from(number).unwrap_or(1);
    // A permission that this version does not know grants nothing.
    let permissions = client.permissions.iter().filter_map(|code| Permission::parse(code)).collect();
    Actor {
        kind: ActorKind::Client,
        display_name: client.name,
        permissions,
        grants: vec![Grant::everywhere(permissions)],
        client: Some(Arc::new(ClientGrant {
            id: client.id,
            operations: client.operations.into_iter().collect(),
            rate: Rate { points: positive(client.rate_points), restore: positive(client.rate_restore) },
        })),
        ..Actor::anonymous()
    }
}
