//! Keys at hand: tenant keys unwrapped once, data keys fetched in batches, both kept for a while.
//!
//! Everything kept is wiped when it leaves the cache. While the key service is away, tenants whose
//! key is cached go on; the others answer [`Failure::KeyUnavailable`], never plaintext.

use std::{collections::HashMap, sync::Arc, time::Duration};

use moka::{future, sync};
use praxis_entity::{control::tenant_key, ids::TenantId, phi_key};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use crate::{
    Failure,
    tenancy::{Control, Tenant, TenantDb},
    vault::{DataKey, KeyWrapper, TenantKey, WrappedKey},
};

/// Keys at hand.
pub struct Keyring {
    control: Control,
    wrapper: Arc<dyn KeyWrapper>,
    tenants: future::Cache<TenantId, Arc<TenantKey>>,
    data: sync::Cache<(TenantId, Uuid), Arc<DataKey>>,
}

impl Keyring {
    /// An empty keyring.
    pub fn new(control: Control, wrapper: Arc<dyn KeyWrapper>) -> Self {
        Self {
            control,
            wrapper,
            tenants: future::Cache::builder()
                .max_capacity(10_000)
                .time_to_live(Duration::from_secs(15 * 60))
                .build(),
            data: sync::Cache::builder()
                .max_capacity(100_000)
                .time_to_live(Duration::from_secs(5 * 60))
                .build(),
        }
    }

    /// What wraps the tenant keys.
    pub fn wrapper(&self) -> &Arc<dyn KeyWrapper> {
        &self.wrapper
    }

    /// The key of a tenant, newest version.
    pub async fn tenant(&self, tenant: &Tenant) -> Result<Arc<TenantKey>, Failure> {
        self.tenants.try_get_with(tenant.id, self.unwrap_tenant(tenant)).await.map_err(
            |failure: Arc<Failure>| match &*failure {
                Failure::KeyUnavailable => Failure::KeyUnavailable,
                other => Failure::Internal(other.to_string()),
            },
        )
    }

    async fn unwrap_tenant(&self, tenant: &Tenant) -> Result<Arc<TenantKey>, Failure> {
        let row = tenant_key::Entity::find()
            .filter(tenant_key::Column::TenantId.eq(tenant.id))
            .order_by_desc(tenant_key::Column::Version)
            .one(self.control.orm())
            .await?
            .ok_or(Failure::KeyUnavailable)?;
        let version = u32::try_from(row.version).map_err(|_| Failure::KeyUnavailable)?;
        let key = TenantKey::unwrap(tenant.uuid(), version, &row.wrapped, self.wrapper.as_ref()).await.map_err(|error| {
            tracing::error!(tenant = %tenant.id, error = %error, "the tenant's key could not be unwrapped");
            Failure::KeyUnavailable
        })?;
        Ok(Arc::new(key))
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
        let mut found = HashMap::with_capacity(subjects.len());
        let mut missing = Vec::new();
        for &subject in subjects {
            match self.data.get(&(tenant.id, subject)) {
                Some(key) => {
                    found.insert(subject, key);
                }
                None => missing.push(subject),
            }
        }
        if missing.is_empty() {
            return Ok(found);
        }
        let tenant_key = self.tenant(tenant).await?;
        let rows = phi_key::Entity::find()
            .filter(sea_orm::sea_query::Expr::cust_with_values("subject = ANY($1)", [missing]))
            .order_by_asc(phi_key::Column::Version)
            .all(db)
            .await?;
        for row in rows {
            let inconsistent =
                || Failure::Inconsistent { table: "phi_key", column: "wrapped", row: row.subject };
            let wrapped = WrappedKey {
                version: u32::try_from(row.version).map_err(|_| inconsistent())?,
                commitment: row.commitment.as_slice().try_into().map_err(|_| inconsistent())?,
                bytes: row.wrapped.clone(),
            };
            let key =
                Arc::new(tenant_key.unwrap_data_key(row.subject, &wrapped).map_err(|_| inconsistent())?);
            self.data.insert((tenant.id, row.subject), Arc::clone(&key));
            found.insert(row.subject, key);
        }
        Ok(found)
    }

    /// Makes the data key of a new subject, in the caller's transaction.
    ///
    /// It is not kept until somebody reads it back: the transaction may yet be rolled back.
    pub async fn create(
        &self,
        tenant: &Tenant,
        db: &impl ConnectionTrait,
        subject: Uuid,
    ) -> Result<Arc<DataKey>, Failure> {
        let tenant_key = self.tenant(tenant).await?;
        let key = DataKey::generate(tenant.uuid(), subject, 1)?;
        let wrapped = tenant_key.wrap_data_key(&key)?;
        phi_key::Entity::insert(phi_key::ActiveModel {
            subject: Set(subject),
            version: Set(1),
            wrapped: Set(wrapped.bytes),
            commitment: Set(wrapped.commitment.to_vec()),
            created_at: sea_orm::ActiveValue::NotSet,
        })
        .exec_without_returning(db)
        .await?;
        Ok(Arc::new(key))
    }
}
