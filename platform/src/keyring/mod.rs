//! Keys at hand: tenant keys unwrapped once, data keys fetched in batches, both kept for a while.
//!
//! Everything kept is wiped when it leaves the cache. What a rotation made is picked up at once: by
//! the tenant's epoch in the directory, and whenever a ciphertext names a version that is not at hand.
//! While the key service is away, tenants whose key is at hand go on for a bounded time; the others
//! answer [`Failure::KeyUnavailable`], never plaintext.

mod service;

use std::{collections::HashMap, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use moka::{future, sync};
use praxis_entity::{
    control::tenant_key,
    ids::TenantId,
    phi_key::{self, Column},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

use self::service::Service;
use crate::{
    Failure,
    clock::SharedClock,
    tenancy::{Control, Tenant, TenantDb},
    vault::{DataKey, GuardedKey, KeyWrapper, TenantKey, WrappedKey},
};

/// How long keys are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyTimes {
    /// After this long a tenant's key is asked for again.
    pub fresh: Duration,
    /// For this much longer it goes on being used while the key service is away.
    pub stale: Duration,
}

impl Default for KeyTimes {
    fn default() -> Self {
        Self { fresh: Duration::from_secs(15 * 60), stale: Duration::from_secs(45 * 60) }
    }
}

impl KeyTimes {
    /// After this long no server holds a key any more that it has not asked for again.
    pub fn forgotten(self) -> Duration {
        self.fresh.saturating_add(self.stale).max(DATA_KEYS_FOR).saturating_add(LONGEST_OPERATION)
    }
}

/// Data keys are kept for this long; they open only while the tenant's key is at hand, too.
const DATA_KEYS_FOR: Duration = Duration::from_secs(5 * 60);
/// No operation holds on to a key for longer.
const LONGEST_OPERATION: Duration = Duration::from_secs(60);

/// Keys at hand.
pub struct Keyring {
    control: Control,
    clock: SharedClock,
    times: KeyTimes,
    service: Service,
    tenants: future::Cache<TenantId, Arc<Held>>,
    data: sync::Cache<(TenantId, Uuid), Arc<HeldData>>,
}

/// A tenant's key, and how good it still is.
struct Held {
    key: Arc<TenantKey>,
    epoch: i64,
    fetched_at: DateTime<Utc>,
    refreshing: tokio::sync::Mutex<()>,
}

struct HeldData {
    key: Arc<DataKey>,
    epoch: i64,
}

/// Subject, version, wrapped key, commitment, and whether its transaction is over.
type StoredKey = (Uuid, i32, Vec<u8>, Vec<u8>, bool);

impl Keyring {
    /// An empty keyring.
    pub fn new(control: Control, wrapper: Arc<dyn KeyWrapper>, clock: SharedClock, times: KeyTimes) -> Self {
        Self {
            control,
            service: Service::new(wrapper, Arc::clone(&clock)),
            clock,
            times,
            tenants: future::Cache::builder()
                .max_capacity(10_000)
                .time_to_live(times.fresh.saturating_add(times.stale))
                .build(),
            data: sync::Cache::builder().max_capacity(100_000).time_to_live(DATA_KEYS_FOR).build(),
        }
    }

    /// What wraps the tenant keys.
    pub fn wrapper(&self) -> &Arc<dyn KeyWrapper> {
        self.service.wrapper()
    }

    /// Whether the key service answered when it was asked last.
    pub fn service_answers(&self) -> bool {
        self.service.answers()
    }

    /// The key of a tenant, in all its versions.
    pub async fn tenant(&self, tenant: &Tenant) -> Result<Arc<TenantKey>, Failure> {
        match self.tenant_at_hand(tenant) {
            Some(key) => Ok(key),
            // On the heap: it is seldom so, and nearly everything that is awaited asks for a key.
            None => self.tenant_away(tenant).boxed().await,
        }
    }

    /// The key of a tenant that is not at hand, or not fresh.
    async fn tenant_away(&self, tenant: &Tenant) -> Result<Arc<TenantKey>, Failure> {
        let fetched = self.tenants.try_get_with(tenant.id, self.fetch_tenant(tenant)).await;
        let held = fetched.map_err(|failure: Arc<Failure>| match &*failure {
            Failure::KeyUnavailable => Failure::KeyUnavailable,
            // A moment later it may be there again; several asked at once, and each is told so.
            Failure::Unavailable(error) => Failure::Unavailable(error.clone()),
            Failure::TimedOut(error) => Failure::TimedOut(error.clone()),
            other => Failure::Internal(other.to_string()),
        })?;
        let age = self.clock.now() - held.fetched_at;
        if held.epoch >= tenant.key_epoch && age < delta(self.times.fresh) {
            return Ok(Arc::clone(&held.key));
        }
        let usable = age < delta(self.times.fresh.saturating_add(self.times.stale));
        // One asks again; the others go on with what is there as long as they may.
        let Ok(_one_at_a_time) =
            (if usable { held.refreshing.try_lock() } else { Ok(held.refreshing.lock().await) })
        else {
            return Ok(Arc::clone(&held.key));
        };
        // Whoever waited for the turn may find the work done.
        if let Some(newer) = self.tenants.get(&tenant.id).await
            && newer.fetched_at > held.fetched_at
            && newer.epoch >= tenant.key_epoch
        {
            return Ok(Arc::clone(&newer.key));
        }
        match self.fetch_tenant(tenant).await {
            Ok(fetched) => {
                self.tenants.insert(tenant.id, Arc::clone(&fetched)).await;
                Ok(Arc::clone(&fetched.key))
            }
            Err(Failure::KeyUnavailable | Failure::Unavailable(_) | Failure::TimedOut(_)) if usable => {
                Ok(Arc::clone(&held.key))
            }
            Err(failure) => Err(failure),
        }
    }

    async fn fetch_tenant(&self, tenant: &Tenant) -> Result<Arc<Held>, Failure> {
        let rows = tenant_key::Entity::find()
            .filter(tenant_key::Column::TenantId.eq(tenant.id))
            .order_by_asc(tenant_key::Column::Version)
            .all(self.control.orm())
            .await?;
        let mut stored = Vec::with_capacity(rows.len());
        for row in rows {
            let version = u32::try_from(row.version).map_err(|_| Failure::KeyUnavailable)?;
            stored.push(GuardedKey { version, bytes: row.wrapped, wrapper: row.wrapper });
        }
        let key = self.service.unwrap(tenant.uuid(), &stored).await.map_err(|error| {
            tracing::error!(tenant = %tenant.id, error = %error, "the tenant's key could not be unwrapped");
            Failure::KeyUnavailable
        })?;
        Ok(Arc::new(Held {
            key: Arc::new(key),
            epoch: tenant.key_epoch,
            fetched_at: self.clock.now(),
            refreshing: tokio::sync::Mutex::new(()),
        }))
    }

    /// The key of a tenant, if it is at hand and fresh.
    fn tenant_at_hand(&self, tenant: &Tenant) -> Option<Arc<TenantKey>> {
        let held = self.tenants.get(&tenant.id).now_or_never()??;
        let fresh = self.clock.now() - held.fetched_at < delta(self.times.fresh);
        (fresh && held.epoch >= tenant.key_epoch).then(|| Arc::clone(&held.key))
    }

    /// The data key of a subject, if it is at hand and the tenant's key with it.
    pub fn data_at_hand(&self, tenant: &Tenant, subject: Uuid) -> Option<Arc<DataKey>> {
        self.tenant_at_hand(tenant)?;
        let held = self.data.get(&(tenant.id, subject))?;
        (held.epoch >= tenant.key_epoch).then(|| Arc::clone(&held.key))
    }

    /// The data keys of the subjects, with one statement for those that are not at hand.
    ///
    /// A subject without a key, erased for instance, is absent from the answer.
    pub async fn data(
        &self,
        tenant: &Tenant,
        db: &TenantDb,
        subjects: &[Uuid],
    ) -> Result<HashMap<Uuid, Arc<DataKey>>, Failure> {
        // Asked for first: without the tenant's key nothing opens, not even with what is at hand.
        let tenant_key = self.tenant(tenant).await?;
        let mut found = HashMap::with_capacity(subjects.len());
        let mut missing = Vec::new();
        for &subject in subjects {
            match self.data.get(&(tenant.id, subject)).filter(|held| held.epoch >= tenant.key_epoch) {
                Some(held) => {
                    found.insert(subject, Arc::clone(&held.key));
                }
                None => missing.push(subject),
            }
        }
        if !missing.is_empty() {
            found.extend(self.fetch_data(tenant, &tenant_key, db, missing).await?);
        }
        Ok(found)
    }

    /// The data key of a subject with a version that was not at hand: made a moment ago, by a rotation.
    pub async fn data_with(
        &self,
        tenant: &Tenant,
        db: &TenantDb,
        subject: Uuid,
        version: u32,
    ) -> Result<Option<Arc<DataKey>>, Failure> {
        let tenant_key = self.tenant(tenant).await?;
        let held = self.data.get(&(tenant.id, subject)).map(|held| Arc::clone(&held.key));
        if let Some(key) = held.filter(|key| key.has(version)) {
            return Ok(Some(key));
        }
        let mut fetched = self.fetch_data(tenant, &tenant_key, db, vec![subject]).await?;
        Ok(fetched.remove(&subject).filter(|key| key.has(version)))
    }

    async fn fetch_data(
        &self,
        tenant: &Tenant,
        tenant_key: &Arc<TenantKey>,
        db: &TenantDb,
        subjects: Vec<Uuid>,
    ) -> Result<HashMap<Uuid, Arc<DataKey>>, Failure> {
        // A row of the transaction under way carries its start as its time. It may yet be taken
        // back, and a key that was kept all the same would seal what nobody could open again.
        let rows: Vec<StoredKey> = phi_key::Entity::find()
            .select_only()
            .columns([Column::Subject, Column::Version, Column::Wrapped, Column::Commitment])
            .expr(Expr::cust("created_at < now()"))
            .filter(Expr::cust_with_values("subject = ANY($1)", [subjects]))
            .into_tuple()
            .all(db)
            .await?;
        let mut stored: HashMap<Uuid, (Vec<WrappedKey>, bool)> = HashMap::new();
        let mut newer_tenant_key = false;
        for (subject, version, bytes, commitment, is_settled) in rows {
            let wrapped = WrappedKey::stored(version, bytes, &commitment);
            let wrapped = wrapped.ok_or_else(|| inconsistent(subject))?;
            newer_tenant_key |= !tenant_key.unwraps(&wrapped);
            let (versions, settled) = stored.entry(subject).or_insert_with(|| (Vec::new(), true));
            versions.push(wrapped);
            *settled &= is_settled;
        }
        // Wrapped by a version of the tenant's key that was made a moment ago.
        let tenant_key = if newer_tenant_key {
            let held = self.fetch_tenant(tenant).await?;
            self.tenants.insert(tenant.id, Arc::clone(&held)).await;
            Arc::clone(&held.key)
        } else {
            Arc::clone(tenant_key)
        };
        let mut found = HashMap::with_capacity(stored.len());
        for (subject, (versions, settled)) in stored {
            let key = tenant_key.unwrap_data_keys(subject, &versions).map_err(|_| inconsistent(subject))?;
            let key = Arc::new(key);
            if settled {
                let held = HeldData { key: Arc::clone(&key), epoch: tenant.key_epoch };
                self.data.insert((tenant.id, subject), Arc::new(held));
            }
            found.insert(subject, key);
        }
        Ok(found)
    }

    /// Makes the data key of a new subject, in the caller's transaction; where another transaction
    /// made one at the same time, that one is it.
    ///
    /// It is not kept: the transaction may yet be rolled back.
    pub async fn create(
        &self,
        tenant: &Tenant,
        db: &TenantDb,
        subject: Uuid,
    ) -> Result<Arc<DataKey>, Failure> {
        let tenant_key = self.tenant(tenant).await?;
        let key = DataKey::generate(tenant.uuid(), subject, 1)?;
        let wrapped = tenant_key.wrap_data_key(&key)?;
        let row = phi_key::ActiveModel {
            subject: Set(subject),
            version: Set(1),
            wrapped: Set(wrapped.bytes),
            commitment: Set(wrapped.commitment.to_vec()),
            created_at: sea_orm::ActiveValue::NotSet,
        };
        let inserted = phi_key::Entity::insert(row)
            .on_conflict(OnConflict::columns([Column::Subject, Column::Version]).do_nothing().to_owned())
            .exec_without_returning(db)
            .await?;
        if inserted == 1 {
            return Ok(Arc::new(key));
        }
        let mut others = self.fetch_data(tenant, &tenant_key, db, vec![subject]).await?;
        others.remove(&subject).ok_or(Failure::KeyUnavailable)
    }
}

fn inconsistent(subject: Uuid) -> Failure {
    Failure::Inconsistent { table: "phi_key", column: "wrapped", row: subject }
}

fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}
