//! A rehearsal: the steps are run in a few real tenants and taken back.
//!
//! It finds what no reading finds: rows that a new constraint forbids, a lock that nobody gives away, a step that takes
//! minutes. While it runs, the tenant's tables are locked as they would be; the limits of a run hold here as well.

use std::time::Instant;

use praxis_migration::Way;
use sea_orm::ConnectionTrait;
use serde::Serialize;
use uuid::Uuid;

use super::{
    MigrateError, Migrator, Options, TenantVersion,
    fleet::{must_exist, tenants},
    steps_after,
    tenant::Run,
};

/// How one step went in one tenant.
#[derive(Debug, Clone, Serialize)]
pub struct Rehearsed {
    /// The tenant.
    pub tenant: String,
    /// The step.
    pub step: String,
    /// How long it took.
    pub duration_ms: f64,
    /// What went wrong; the steps after it were not tried.
    pub error: Option<String>,
}

impl Migrator {
    /// Runs the missing steps in a sample of so many of the selected tenants, each in one transaction that is taken
    /// back. An index that would be built concurrently is built in the transaction; of a step in batches one is run.
    pub async fn rehearse(&self, options: &Options, sample: usize) -> Result<Vec<Rehearsed>, MigrateError> {
        let installation = self.installation().await?;
        let db = self.connect(1).await?;
        must_exist(&db, &options.selection).await?;
        let behind = tenants(&db, &options.selection, self.tenant_target()).await?;
        let sample = options.waves.share(behind).into_iter().flat_map(|(_, wave)| wave).take(sample);
        let run = Run { migrator: self, db: &db, installation: &installation, id: Uuid::nil(), options };
        let mut rehearsed = Vec::new();
        for tenant in sample {
            rehearsed.extend(run.rehearse(&tenant).await?);
        }
        Ok(rehearsed)
    }
}

impl Run<'_> {
    async fn rehearse(&self, tenant: &TenantVersion) -> Result<Vec<Rehearsed>, MigrateError> {
        let transaction = self.begin(&tenant.schema).await?;
        let mut rehearsed = Vec::new();
        for (_, step) in steps_after(&self.migrator.tenant, tenant.version) {
            let begun = Instant::now();
            let mut error = None;
            for statement in step.statements() {
                let text = match step.way() {
                    Way::Concurrent => statement.text.replace(" CONCURRENTLY", ""),
                    Way::Transaction | Way::Batches => statement.text.to_owned(),
                };
                if let Err(failed) = transaction.execute_unprepared(&text).await {
                    error = Some(failed.to_string());
                    break;
                }
            }
            let duration_ms = begun.elapsed().as_secs_f64() * 1000.0;
            let went_wrong = error.is_some();
            rehearsed.push(Rehearsed {
                tenant: tenant.slug.clone(),
                step: step.name().to_owned(),
                duration_ms,
                error,
            });
            if went_wrong {
                break;
            }
        }
        transaction.rollback().await?;
        Ok(rehearsed)
    }
}
