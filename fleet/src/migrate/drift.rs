//! Whether somebody changed a tenant's schema by hand, and what.
//!
//! Each tenant is compared with a schema freshly built from the steps of its own version, so a tenant that is behind
//! is not taken for one that drifted.

use std::collections::HashMap;

use futures::{StreamExt, TryStreamExt, stream};
use praxis_platform::tenancy::{Installation, connect_admin, installed};
use sea_orm::DatabaseConnection;
use serde::Serialize;

use super::{
    MigrateError, Migrator, Selection, TenantVersion,
    catalogue::{self, Catalogue, Object, Reference, bare},
    control::begin,
    fleet::{must_exist, tenants},
};

/// A difference between a tenant's schema and what its steps make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What differs.
    #[serde(flatten)]
    pub object: Object,
    /// How it has to be; nothing when it should not be there.
    pub expected: Option<String>,
    /// How it is; nothing when it is missing.
    pub found: Option<String>,
}

/// A tenant whose schema is not what its steps make.
#[derive(Debug, Clone, Serialize)]
pub struct Drifted {
    /// The tenant.
    pub tenant: String,
    /// Its version.
    pub version: i32,
    /// What differs, in the order in which it would be put right.
    pub differences: Vec<Difference>,
    #[serde(skip)]
    pub(super) schema: Option<praxis_platform::tenancy::SchemaName>,
}

impl Migrator {
    /// Compares the selected tenants with what their steps make; returns those that differ, and how many are newer than
    /// this build and were not compared.
    pub async fn drift(
        &self,
        selection: &Selection,
        parallel: usize,
    ) -> Result<(Vec<Drifted>, usize), MigrateError> {
        let installation = self.installation().await?;
        let parallel = parallel.clamp(1, 64);
        let db = self.connect(u32::try_from(parallel).unwrap_or(1)).await?;
        must_exist(&db, selection).await?;
        let tenants = tenants(&db, selection, i32::MAX).await?;
        let mut references = HashMap::new();
        for tenant in &tenants {
            // A version that this build does not know has nothing to be compared with.
            if tenant.version <= self.tenant_target() && !references.contains_key(&tenant.version) {
                references.insert(tenant.version, self.reference(&installation, tenant.version).await?);
            }
        }
        let (db, references) = (&db, &references);
        let drifted: Vec<Option<Drifted>> = stream::iter(&tenants)
            .map(|tenant| async move {
                match references.get(&tenant.version) {
                    Some(reference) => compare(db, tenant, reference).await,
                    None => Ok(None),
                }
            })
            .buffered(parallel)
            .try_collect()
            .await?;
        let newer = tenants.iter().filter(|tenant| tenant.version > self.tenant_target()).count();
        Ok((drifted.into_iter().flatten().collect(), newer))
    }

    /// The installation of this database.
    pub(super) async fn installation(&self) -> Result<Installation, MigrateError> {
        let mut admin = connect_admin(&self.database_url).await?;
        installed(&mut admin).await?.ok_or(MigrateError::NotInstalled)
    }
}

async fn compare(
    db: &DatabaseConnection,
    tenant: &TenantVersion,
    reference: &Reference,
) -> Result<Option<Drifted>, MigrateError> {
    let transaction = begin(db).await?;
    bare(&transaction).await?;
    if catalogue::digest(&transaction, tenant.schema.as_str()).await? == reference.digest {
        return Ok(None);
    }
    let found = catalogue::read(&transaction, tenant.schema.as_str()).await?;
    Ok(Some(Drifted {
        tenant: tenant.slug.clone(),
        version: tenant.version,
        differences: differences(&reference.catalogue, &found),
        schema: Some(tenant.schema.clone()),
    }))
}

/// What differs between two catalogues. Objects sort as they need each other.
pub(super) fn differences(expected: &Catalogue, found: &Catalogue) -> Vec<Difference> {
    let mut objects: Vec<&Object> = expected.keys().chain(found.keys()).collect();
    objects.sort();
    objects.dedup();
    objects
        .into_iter()
        .filter(|object| expected.get(object) != found.get(object))
        .map(|object| Difference {
            object: object.clone(),
            expected: expected.get(object).cloned(),
            found: found.get(object).cloned(),
        })
        .collect()
}
