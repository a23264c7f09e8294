//! One tenant, step by step: killed at any point, it is at the version before a step or after it.

use std::time::{Duration, Instant};

use praxis_migration::{Step, Way, oldest_build};
use praxis_platform::{
    tenancy::{Installation, MAIN, SchemaName},
    vault::crypto,
};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use sea_orm_migration::{MigrationTrait as _, SchemaManager};
use sqlx::postgres::PgConnection;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::{
    MigrateError, Migrator, Options, TenantVersion,
    control::{begin, one, statement},
    homes::Homes,
    ledger, steps_after,
};

/// How often a step is tried while somebody else holds its locks.
pub(super) const ATTEMPTS: u32 = 10;

/// What all tenants of a run share.
pub(super) struct Run<'a> {
    pub(super) migrator: &'a Migrator,
    pub(super) homes: &'a Homes<'a>,
    pub(super) installation: &'a Installation,
    pub(super) id: Uuid,
    pub(super) options: &'a Options,
    /// The connection that holds the run's lock; none for a rehearsal.
    pub(super) lock: Option<&'a Mutex<PgConnection>>,
}

/// How a tenant got to its version.
pub(super) struct Migrated {
    /// The version it was found at; the target, when another run was first.
    pub from: i32,
    /// How often the step was tried that was tried most often.
    pub attempts: u32,
}

impl Run<'_> {
    /// Brings a tenant to a version; tries a step again, after a growing pause, while its tables are in use.
    pub(super) async fn migrate(
        &self,
        tenant: &TenantVersion,
        target: i32,
    ) -> Result<Migrated, (MigrateError, u32)> {
        let begun = Instant::now();
        let from = self.found(tenant, tenant.version).await.map_err(|error| (error, 1))?;
        let mut most = 1;
        let steps = steps_after(&self.migrator.tenant, from).take_while(|(version, _)| *version <= target);
        for (version, step) in steps {
            let mut attempts = 1;
            loop {
                match self.step(tenant, version, step, attempts).await {
                    Ok(()) => break,
                    Err(error) if error.is_contention() && attempts < ATTEMPTS => {
                        tokio::time::sleep(pause(attempts)).await;
                        attempts += 1;
                    }
                    Err(error) => return Err((error, attempts)),
                }
            }
            most = most.max(attempts);
        }
        let done = ledger::item_done(self.homes.control(), self.id, tenant.id, most, begun.elapsed());
        done.await.map_err(|error| (error, most))?;
        Ok(Migrated { from, attempts: most })
    }

    /// The truth about a tenant's version. The control schema is told of it where it has heard something else, as it
    /// has when it was restored. (That older servers are kept out since a step was tried in another cell stays as it is: it
    /// is about to be tried again.)
    async fn found(&self, tenant: &TenantVersion, heard: i32) -> Result<i32, MigrateError> {
        let schema = &tenant.schema;
        let sql = format!("SELECT schema_version AS n FROM {schema}.tenant_self");
        let found: i32 = one(self.homes.of(&tenant.cell).await?, &sql)
            .await?
            .ok_or_else(|| MigrateError::CanaryMissing(schema.to_string()))?;
        if found != heard {
            self.tell(self.homes.control(), schema, found).await?;
        }
        Ok(found)
    }

    /// Writes a tenant's version into the control schema, if it is news.
    async fn tell(
        &self,
        db: &impl ConnectionTrait,
        schema: &SchemaName,
        version: i32,
    ) -> Result<(), MigrateError> {
        let sql = "UPDATE control.tenant SET schema_version = $1, oldest_build = $2
            WHERE schema_name = $3 AND (schema_version, oldest_build) <> ($1, $2)";
        let oldest = oldest_build(&self.migrator.tenant, version);
        db.execute_raw(statement(sql, [version.into(), oldest.into(), schema.as_str().into()])).await?;
        Ok(())
    }

    async fn step(
        &self,
        tenant: &TenantVersion,
        version: i32,
        step: &Step,
        attempts: u32,
    ) -> Result<(), MigrateError> {
        let begun = Instant::now();
        self.still_alone().await?;
        // Asked again for each tenant: a run may take long, and servers come and go.
        self.migrator.nobody_uses(self.homes.control(), step).await?;
        match step.way() {
            Way::Transaction => {}
            // What no transaction holds is not to be done over by a run that comes late.
            _ if self.found(tenant, version - 1).await? != version - 1 => return Ok(()),
            Way::Concurrent => self.concurrently(tenant, step).await?,
            Way::Batches => self.in_batches(tenant, step).await?,
        }
        if tenant.cell != MAIN {
            self.close_to_older(tenant, version).await?;
        }
        let transaction = self.begin(tenant).await?;
        if !self.is_next(&transaction, tenant, version).await? {
            return Ok(());
        }
        if step.way() == Way::Transaction {
            step.up(&SchemaManager::new(&transaction)).await.map_err(|source| failed(step, source))?;
        }
        transaction
            .execute_raw(statement("UPDATE tenant_self SET schema_version = $1", [version.into()]))
            .await?;
        if tenant.cell != MAIN {
            // The control schema is in another database: it hears of it after. Killed in between, the next run finds the
            // truth in the clinic's schema.
            transaction.commit().await?;
            let control = self.homes.control();
            ledger::step_done(control, self.id, tenant.id, version, attempts, begun.elapsed()).await?;
            return self.tell(control, &tenant.schema, version).await;
        }
        ledger::step_done(&transaction, self.id, tenant.id, version, attempts, begun.elapsed()).await?;
        // Last, because every change of a tenant locks the row that counts the directory's versions.
        self.tell(&transaction, &tenant.schema, version).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Before a step takes something away in another database: servers that need it don't serve the clinic any more.
    async fn close_to_older(&self, tenant: &TenantVersion, version: i32) -> Result<(), MigrateError> {
        let sql = "UPDATE control.tenant SET oldest_build = $1 WHERE schema_name = $2 AND oldest_build < $1";
        let oldest = oldest_build(&self.migrator.tenant, version);
        let values = [oldest.into(), tenant.schema.as_str().into()];
        self.homes.control().execute_raw(statement(sql, values)).await?;
        Ok(())
    }

    /// A transaction in the tenant's schema, as the owner.
    pub(super) async fn begin(&self, tenant: &TenantVersion) -> Result<DatabaseTransaction, MigrateError> {
        let transaction = begin(self.homes.of(&tenant.cell).await?).await?;
        transaction
            .execute_unprepared(&self.context(&tenant.schema, "LOCAL", self.options.lock_timeout))
            .await?;
        Ok(transaction)
    }

    /// How statements of a step find their tables, and how long they may wait: a migration that waits for a lock
    /// makes everybody behind it wait, too.
    pub(super) fn context(&self, schema: &SchemaName, scope: &str, lock_timeout: Duration) -> String {
        format!(
            "SET {scope} lock_timeout = {}; SET {scope} statement_timeout = {}; SET {scope} praxis.role = '{schema}';
             SET {scope} ROLE {}; SET {scope} search_path = {schema}",
            lock_timeout.as_millis(),
            self.options.statement_timeout.as_millis(),
            self.installation.owner_role()
        )
    }

    /// Locks the tenant against other runs, and looks whether the step is still to be done.
    async fn is_next(
        &self,
        transaction: &DatabaseTransaction,
        tenant: &TenantVersion,
        version: i32,
    ) -> Result<bool, MigrateError> {
        let found: i32 = one(transaction, "SELECT schema_version AS n FROM tenant_self FOR UPDATE")
            .await?
            .ok_or_else(|| MigrateError::CanaryMissing(tenant.schema.to_string()))?;
        Ok(found == version - 1)
    }
}

pub(super) fn failed(step: &Step, source: sea_orm::DbErr) -> MigrateError {
    MigrateError::Step { step: step.name().to_owned(), source }
}

/// From 50 ms up to 3 s, with a random half so that several waiters don't meet again.
pub(super) fn pause(attempt: u32) -> Duration {
    let ceiling = 50 * (1 << attempt.min(6));
    let noise = crypto::random::<1>().map_or(0, |[byte]| u64::from(byte));
    Duration::from_millis(ceiling / 2 + ceiling / 2 * noise / 255)
}
