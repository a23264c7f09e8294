//! A rehearsal: the steps are run in a few real tenants and taken back.
//!
//! It finds what no reading finds: rows that a new constraint forbids, a lock that nobody gives away, a step that takes
//! long. All of it is one transaction, so a table stays locked from the first step that needs it to the end: the clinics
//! of the sample wait for that time, which is bounded.

use std::time::{Duration, Instant};

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
    /// back after `within` at the latest. What would be built concurrently is left out; of a step in batches one is run.
    pub async fn rehearse(
        &self,
        options: &Options,
        sample: usize,
        within: Duration,
    ) -> Result<Vec<Rehearsed>, MigrateError> {
        let options = &Options { statement_timeout: within, ..options.clone() };
        let installation = self.installation().await?;
        let homes = self.homes(1).await?;
        let db = homes.control();
        must_exist(db, &options.selection).await?;
        let behind = tenants(db, &options.selection, self.tenant_target()).await?;
        let sample = options.waves.share(behind).into_iter().flat_map(|(_, wave)| wave).take(sample);
        let run = Run {
            migrator: self,
            homes: &homes,
            installation: &installation,
            id: Uuid::nil(),
            options,
            lock: None,
        };
        let mut rehearsed = Vec::new();
        for tenant in sample {
            rehearsed.extend(run.rehearse(&tenant, within).await?);
        }
        Ok(rehearsed)
    }
}

impl Run<'_> {
    async fn rehearse(
        &self,
        tenant: &TenantVersion,
        within: Duration,
    ) -> Result<Vec<Rehearsed>, MigrateError> {
        let all = Instant::now();
        let transaction = self.begin(tenant).await?;
        let mut rehearsed = Vec::new();
        let steps = steps_after(&self.migrator.tenant, tenant.version).map(|(_, step)| step);
        for step in steps.filter(|step| step.way() != Way::Concurrent) {
            let begun = Instant::now();
            let mut error = None;
            for statement in step.statements() {
                if all.elapsed() > within {
                    error = Some(format!("the rehearsal took more than {within:?} and was ended"));
                    break;
                }
                if let Err(failed) = transaction.execute_unprepared(statement.text).await {
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
