//! Whether somebody changed a tenant's schema by hand, and what.
//!
//! Each tenant is compared with a schema freshly built from the steps of its own version, so a tenant that is behind
//! is not taken for one that drifted. Version and catalogue are read at the same moment.

use std::collections::HashMap;

use futures::{StreamExt, TryStreamExt, stream};
use praxis_platform::tenancy::{Installation, MAIN, SchemaName, installed};
use sea_orm::{AccessMode, DatabaseConnection, DatabaseTransaction, IsolationLevel, TransactionTrait};
use serde::Serialize;
use tokio::sync::OnceCell;

use super::{
    MigrateError, Migrator, Selection, TenantVersion,
    catalogue::{self, Catalogue, Object, Reference, bare},
    control::one,
    fleet::{must_exist, tenants},
    homes::Homes,
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
    pub(super) schema: SchemaName,
    #[serde(skip)]
    pub(super) cell: String,
}

/// How tenants are, compared with what their steps make.
#[derive(Debug, Default)]
pub struct Drift {
    /// Those that differ.
    pub drifted: Vec<Drifted>,
    /// How many are newer than this build, and were not compared.
    pub newer: usize,
    /// Those whose schema is not there.
    pub missing: Vec<String>,
}

/// What became of a comparison.
enum Compared {
    /// There is no schema.
    Missing(String),
    Alike,
    Differs(Drifted),
    /// This build does not know its version.
    Newer,
}

/// What schemas of each version have to be, built when first asked for.
struct References<'a> {
    migrator: &'a Migrator,
    installation: &'a Installation,
    by_version: HashMap<i32, OnceCell<Reference>>,
}

impl Migrator {
    /// Compares the selected tenants with what their steps make.
    pub async fn drift(&self, selection: &Selection, parallel: usize) -> Result<Drift, MigrateError> {
        let installation = self.installation().await?;
        let parallel = parallel.clamp(1, 64);
        let homes = self.homes(u32::try_from(parallel).unwrap_or(1)).await?;
        must_exist(homes.control(), selection).await?;
        let tenants = tenants(homes.control(), selection, i32::MAX).await?;
        let by_version = (0..=self.tenant_target()).map(|version| (version, OnceCell::new())).collect();
        let references = References { migrator: self, installation: &installation, by_version };
        let (homes, references) = (&homes, &references);
        let compared: Vec<Compared> = stream::iter(&tenants)
            .map(|tenant| references.compare(homes, tenant))
            .buffered(parallel)
            .try_collect()
            .await?;
        let mut drift = Drift::default();
        for compared in compared {
            match compared {
                Compared::Alike => {}
                Compared::Differs(drifted) => drift.drifted.push(drifted),
                Compared::Newer => drift.newer += 1,
                Compared::Missing(tenant) => drift.missing.push(tenant),
            }
        }
        Ok(drift)
    }

    /// The installation of this database.
    pub(super) async fn installation(&self) -> Result<Installation, MigrateError> {
        let mut admin = self.cells.connect(MAIN).await?;
        installed(&mut admin).await?.ok_or(MigrateError::NotInstalled)
    }
}

impl References<'_> {
    async fn compare(&self, homes: &Homes<'_>, tenant: &TenantVersion) -> Result<Compared, MigrateError> {
        let transaction = at_one_moment(homes.of(&tenant.cell).await?).await?;
        let there = format!("SELECT to_regclass('{}.tenant_self') IS NOT NULL AS n", tenant.schema);
        if one(&transaction, &there).await? != Some(true) {
            return Ok(Compared::Missing(tenant.slug.clone()));
        }
        let version = version(&transaction, &tenant.schema).await?;
        let Some(cell) = self.by_version.get(&version) else { return Ok(Compared::Newer) };
        let build = || self.migrator.reference(self.installation, version);
        let reference = cell.get_or_try_init(build).await?;
        bare(&transaction).await?;
        if catalogue::digest(&transaction, tenant.schema.as_str()).await? == reference.digest {
            return Ok(Compared::Alike);
        }
        let found = catalogue::read(&transaction, tenant.schema.as_str()).await?;
        Ok(Compared::Differs(Drifted {
            tenant: tenant.slug.clone(),
            version,
            differences: differences(&reference.catalogue, &found),
            schema: tenant.schema.clone(),
            cell: tenant.cell.clone(),
        }))
    }
}

/// The version that a tenant's schema says to have.
async fn version(transaction: &DatabaseTransaction, schema: &SchemaName) -> Result<i32, MigrateError> {
    let sql = format!("SELECT schema_version AS n FROM {schema}.tenant_self");
    one(transaction, &sql).await?.ok_or_else(|| MigrateError::CanaryMissing(schema.to_string()))
}

/// A transaction that sees everything as it was when it began.
async fn at_one_moment(db: &DatabaseConnection) -> Result<DatabaseTransaction, MigrateError> {
    let isolation = Some(IsolationLevel::RepeatableRead);
    Ok(db.begin_with_config(isolation, Some(AccessMode::ReadOnly)).await?)
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
