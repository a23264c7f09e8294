//! One run over all tenants that are behind, several at a time, written down in the ledger.

use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use praxis_platform::{clock::SharedClock, tenancy::connect_admin, vault::KeyWrapper};
use serde::Serialize;
use sqlx::postgres::PgConnection;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    MigrateError, Migrator, TenantVersion,
    fleet::{must_exist, tenants},
    ledger,
};

/// The advisory lock that only one run of an installation may hold; it ends with its connection.
pub const RUN_LOCK: i64 = 0x7072_6178_6973;

/// What to do after a tenant could not be migrated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    /// Begin no other one.
    Stop,
    /// Go on with the others.
    Continue,
}

/// How to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many tenants at a time.
    pub parallel: usize,
    /// Only the tenant of this slug.
    pub tenant: Option<String>,
    /// How long a statement may wait for a lock before the tenant is tried again later.
    pub lock_timeout: Duration,
    /// What to do after a failure.
    pub on_error: OnError,
    /// Cancelled to finish what is under way and begin nothing more.
    pub interrupt: CancellationToken,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            parallel: 4,
            tenant: None,
            lock_timeout: Duration::from_millis(500),
            on_error: OnError::Stop,
            interrupt: CancellationToken::new(),
        }
    }
}

/// What happened in a run.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The control schema was brought forward.
    Control {
        /// The steps that were applied.
        steps: Vec<String>,
    },
    /// A run over tenants began.
    Started {
        /// Its id in the ledger.
        run: Uuid,
        /// How many tenants it is about.
        tenants: usize,
        /// Runs that had ended without saying so, and which this one continues.
        continues: Vec<Uuid>,
    },
    /// A tenant is at the target version.
    Migrated {
        /// Subdomain.
        tenant: String,
        /// Version before.
        from: i32,
        /// Version now.
        to: i32,
        /// How often it was tried.
        attempts: u32,
        /// How long it took, waiting included.
        duration_ms: u128,
    },
    /// A tenant could not be migrated and is at its old version.
    Failed {
        /// Subdomain.
        tenant: String,
        /// How often it was tried.
        attempts: u32,
        /// Why.
        error: String,
    },
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything is at its version.
    Done,
    /// Some tenants are, some are not.
    Partial,
    /// None that had to be is.
    Failed,
    /// It was told to stop.
    Interrupted,
}

/// The sum of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// How it ended.
    pub outcome: Outcome,
    /// Id in the ledger; none when there was nothing to do for tenants.
    pub run: Option<Uuid>,
    /// Control steps applied.
    pub control: Vec<String>,
    /// Tenants brought to the target.
    pub migrated: usize,
    /// Tenants that could not be.
    pub failed: usize,
    /// Tenants not begun.
    pub remaining: usize,
    /// The version of all that were migrated.
    pub target: i32,
}

impl Migrator {
    /// Brings everything to the version of this build; on an empty database it makes everything.
    pub async fn up(
        &self,
        keys: &dyn KeyWrapper,
        clock: &SharedClock,
        options: &Options,
        listener: &(dyn Fn(&Event) + Send + Sync),
    ) -> Result<Report, MigrateError> {
        let parallel = options.parallel.clamp(1, 64);
        // Held to the end: its connection holds the lock.
        let _lock = self.lock().await?;
        let db = self.connect(u32::try_from(parallel).unwrap_or(1)).await?;
        let (installation, control) = self.migrate_control(&db, keys).await?;
        if !control.is_empty() {
            listener(&Event::Control { steps: control.clone() });
        }
        if let Some(slug) = &options.tenant {
            must_exist(&db, slug).await?;
        }
        let target = self.tenant_target();
        let behind = tenants(&db, options.tenant.as_deref(), target).await?;
        let continues = ledger::close_abandoned(&db).await?;
        let mut report = Report {
            outcome: Outcome::Done,
            run: None,
            control,
            migrated: 0,
            failed: 0,
            remaining: behind.len(),
            target,
        };
        if behind.is_empty() {
            return Ok(report);
        }
        let run = clock.new_id();
        ledger::open(&db, run, target, &behind).await?;
        report.run = Some(run);
        listener(&Event::Started { run, tenants: behind.len(), continues });

        let stop = options.interrupt.child_token();
        let (db, installation, stopped) = (&db, &installation, &stop);
        let work = stream::iter(&behind).map(|tenant| async move {
            if stopped.is_cancelled() {
                return None;
            }
            let begun = Instant::now();
            let result = self.migrate_tenant(db, installation, run, tenant, options.lock_timeout).await;
            Some((tenant, result, begun.elapsed()))
        });
        let mut finished = work.buffer_unordered(parallel);
        while let Some(result) = finished.next().await {
            let Some((tenant, result, took)) = result else { continue };
            report.remaining -= 1;
            match result {
                Ok(done) => {
                    report.migrated += 1;
                    listener(&Event::Migrated {
                        tenant: tenant.slug.clone(),
                        from: done.from,
                        to: target,
                        attempts: done.attempts,
                        duration_ms: took.as_millis(),
                    });
                }
                Err((error, attempts)) => {
                    report.failed += 1;
                    self.failed(db, run, tenant, attempts, &error, listener).await?;
                    if options.on_error == OnError::Stop {
                        stop.cancel();
                    }
                }
            }
        }
        report.outcome = if options.interrupt.is_cancelled() && report.remaining > 0 {
            Outcome::Interrupted
        } else if report.failed == 0 && report.remaining == 0 {
            Outcome::Done
        } else if report.migrated == 0 {
            Outcome::Failed
        } else {
            Outcome::Partial
        };
        let state = match report.outcome {
            Outcome::Done => "DONE",
            Outcome::Failed => "FAILED",
            Outcome::Partial | Outcome::Interrupted => "PARTIAL",
        };
        ledger::close(db, run, state).await?;
        Ok(report)
    }

    async fn failed(
        &self,
        db: &sea_orm::DatabaseConnection,
        run: Uuid,
        tenant: &TenantVersion,
        attempts: u32,
        error: &MigrateError,
        listener: &(dyn Fn(&Event) + Send + Sync),
    ) -> Result<(), MigrateError> {
        let error = error.to_string();
        ledger::item_failed(db, run, tenant.id, attempts, &error).await?;
        listener(&Event::Failed { tenant: tenant.slug.clone(), attempts, error });
        Ok(())
    }

    /// Takes the lock of the installation. The server of a run that was just killed needs a moment
    /// to notice, so that is waited for.
    async fn lock(&self) -> Result<PgConnection, MigrateError> {
        let mut connection = connect_admin(&self.database_url).await?;
        for _ in 0..20 {
            let locked: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
                .bind(RUN_LOCK)
                .fetch_one(&mut connection)
                .await?;
            if locked {
                return Ok(connection);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(MigrateError::Locked)
    }
}
