//! One tenant, in one transaction: wholly at the old version or wholly at the new one.

use std::time::Duration;

use praxis_platform::{tenancy::Installation, vault::crypto};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use sea_orm_migration::SchemaManager;
use uuid::Uuid;

use super::{
    MigrateError, Migrator, TenantVersion,
    control::{begin, one, statement},
    ledger, steps_after,
};

/// How often a tenant is tried while somebody else holds its locks.
const ATTEMPTS: u32 = 10;

/// How a tenant got to its version.
pub(super) struct Migrated {
    /// The version it was found at; the target, when another run was first.
    pub from: i32,
    /// How often it was tried.
    pub attempts: u32,
}

impl Migrator {
    /// Brings a tenant to the target version; tries again, after a growing pause, while it is in use.
    pub(super) async fn migrate_tenant(
        &self,
        db: &DatabaseConnection,
        installation: &Installation,
        run: Uuid,
        tenant: &TenantVersion,
        lock_timeout: Duration,
    ) -> Result<Migrated, (MigrateError, u32)> {
        let mut attempts = 1;
        loop {
            match self.attempt(db, installation, run, tenant, lock_timeout, attempts).await {
                Ok(from) => return Ok(Migrated { from, attempts }),
                Err(error) if error.is_contention() && attempts < ATTEMPTS => {
                    tokio::time::sleep(pause(attempts)).await;
                    attempts += 1;
                }
                Err(error) => return Err((error, attempts)),
            }
        }
    }

    async fn attempt(
        &self,
        db: &DatabaseConnection,
        installation: &Installation,
        run: Uuid,
        tenant: &TenantVersion,
        lock_timeout: Duration,
        attempts: u32,
    ) -> Result<i32, MigrateError> {
        let transaction = begin(db).await?;
        let (owner, schema) = (installation.owner_role(), &tenant.schema);
        // A short wait for locks: a migration that waits makes everybody behind it wait, too.
        let context = format!(
            "SET LOCAL lock_timeout = {}; SET LOCAL statement_timeout = 0; SET LOCAL praxis.role = '{schema}';
             SET LOCAL ROLE {owner}; SET LOCAL search_path = {schema}",
            lock_timeout.as_millis()
        );
        transaction.execute_unprepared(&context).await?;
        let version: i32 = one(&transaction, "SELECT schema_version AS n FROM tenant_self FOR UPDATE")
            .await?
            .ok_or_else(|| MigrateError::CanaryMissing(schema.to_string()))?;
        for (_, step) in steps_after(&self.tenant, version) {
            step.up(&SchemaManager::new(&transaction))
                .await
                .map_err(|source| MigrateError::Step { step: step.name().to_owned(), source })?;
        }
        let reached = version.max(self.tenant_target());
        transaction
            .execute_raw(statement("UPDATE tenant_self SET schema_version = $1", [reached.into()]))
            .await?;
        ledger::item_done(&transaction, run, tenant.id, attempts).await?;
        // Last, because every change of a tenant locks the row that counts the directory's versions.
        transaction
            .execute_raw(statement(
                "UPDATE control.tenant SET schema_version = $1 WHERE id = $2",
                [reached.into(), tenant.id.0.into()],
            ))
            .await?;
        transaction.commit().await?;
        Ok(version)
    }
}

/// From 50 ms up to 3 s, with a random half so that several waiters don't meet again.
fn pause(attempt: u32) -> Duration {
    let ceiling = 50 * (1 << attempt.min(6));
    let noise = crypto::random::<1>().map_or(0, |[byte]| u64::from(byte));
    Duration::from_millis(ceiling / 2 + ceiling / 2 * noise / 255)
}
