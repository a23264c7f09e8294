//! One run over all tenants that are behind: wave by wave, several at a time, written down in the ledger.

use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use praxis_platform::{clock::SharedClock, tenancy::MAIN, vault::KeyWrapper};
use sea_orm::DatabaseConnection;
use sqlx::{Connection, postgres::PgConnection};
use tokio::sync::Mutex;

use super::{
    Event, MigrateError, Migrator, Options, Outcome, Report, TenantVersion, Waves,
    fleet::{must_exist, tenants},
    gate, ledger,
    servers::Reach,
    tenant::Run,
};

/// The advisory lock that only one run of an installation may hold; it ends with its connection.
pub const RUN_LOCK: i64 = 0x7072_6178_6973;

/// Hears what happens in a run.
pub type Listener<'a> = &'a (dyn Fn(&Event) + Send + Sync);

impl Migrator {
    /// Brings everything to the version of this build; on an empty database it makes everything.
    pub async fn up(
        &self,
        keys: &dyn KeyWrapper,
        clock: &SharedClock,
        options: &Options,
        listener: Listener<'_>,
    ) -> Result<Report, MigrateError> {
        let parallel = u32::try_from(options.parallel.clamp(1, 64)).unwrap_or(1);
        // Held to the end: its connection holds the lock.
        let lock = Mutex::new(self.lock().await?);
        let homes = self.homes(parallel).await?;
        let db = homes.control();
        let (installation, control) = self.migrate_control(db, keys).await?;
        if !control.is_empty() {
            listener(&Event::Control { steps: control.clone() });
        }
        let away = self.migrate_cells(&homes, &installation, keys).await?;
        for (cell, error) in &away {
            listener(&Event::CellAway { cell: cell.clone(), error: error.to_string() });
        }
        must_exist(db, &options.selection).await?;
        let reach = self.reach(db, options.expand_only).await?;
        let target = self.tenant_target();
        let behind = tenants(db, &options.selection, target).await?;
        let waiting = behind.iter().find_map(|tenant| reach.waiting(tenant.version)).cloned();
        let behind: Vec<_> =
            behind.into_iter().filter(|tenant| tenant.version < reach.of(tenant.version)).collect();
        let continues = ledger::close_abandoned(db).await?;
        let mut report = Report {
            outcome: Outcome::Done,
            run: None,
            control,
            migrated: 0,
            failed: 0,
            remaining: behind.len(),
            target: behind.iter().map(|tenant| reach.of(tenant.version)).max().unwrap_or(target),
            away: away.into_iter().map(|(cell, _)| cell).collect(),
            waiting,
        };
        if behind.is_empty() {
            report.outcome = outcome(&report, options);
            return Ok(report);
        }
        let run = Run {
            migrator: self,
            homes: &homes,
            installation: &installation,
            id: clock.new_id(),
            options,
            lock: Some(&lock),
        };
        report.run = Some(run.id);
        listener(&Event::Started { run: run.id, tenants: behind.len(), continues });
        let (order, waves) = match options.selection.resume {
            Some(resumed) if options.waves == Waves::default() => {
                (ledger::waves(db, resumed).await?, ledger::shared_as_in(db, resumed, behind).await?)
            }
            _ => (options.waves.clone(), options.waves.share(behind)),
        };
        ledger::open(db, run.id, report.target, &order, &waves).await?;
        run.waves(&waves, &reach, &mut report, listener).await?;
        report.outcome = outcome(&report, options);
        ledger::close(db, run.id, report.outcome).await?;
        Ok(report)
    }

    /// Takes the lock of the installation. The server of a run that was just killed needs a moment
    /// to notice, so that is waited for.
    async fn lock(&self) -> Result<PgConnection, MigrateError> {
        let mut connection = self.cells.connect(MAIN).await?;
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

impl Run<'_> {
    /// Fails if the run does not hold its lock any more: somebody else may be at it.
    pub(super) async fn still_alone(&self) -> Result<(), MigrateError> {
        match self.lock {
            Some(lock) => lock.lock().await.ping().await.map_err(|_| MigrateError::LockLost),
            None => Ok(()),
        }
    }

    /// Goes from wave to wave for as long as they go well.
    async fn waves(
        &self,
        waves: &[(String, Vec<TenantVersion>)],
        reach: &Reach,
        report: &mut Report,
        listener: Listener<'_>,
    ) -> Result<(), MigrateError> {
        for (number, (wave, tenants)) in (1..).zip(waves) {
            listener(&Event::Wave { wave: wave.clone(), tenants: tenants.len() });
            self.wave(tenants, reach, report, listener).await?;
            if self.must_stop(report) {
                break;
            }
            if let Some(command) = self.options.gate.as_deref().filter(|_| number < waves.len())
                && let Err(error) = gate::ask(command, self.id, wave).await
            {
                listener(&Event::GateShut { wave: wave.clone(), error });
                break;
            }
        }
        Ok(())
    }

    async fn wave(
        &self,
        tenants: &[TenantVersion],
        reach: &Reach,
        report: &mut Report,
        listener: Listener<'_>,
    ) -> Result<(), MigrateError> {
        let stop = self.options.interrupt.child_token();
        let stopped = &stop;
        let work = stream::iter(tenants).map(|tenant| async move {
            if stopped.is_cancelled() {
                return None;
            }
            let begun = Instant::now();
            let target = reach.of(tenant.version);
            Some((tenant, target, self.migrate(tenant, target).await, begun.elapsed()))
        });
        let mut finished = work.buffer_unordered(self.options.parallel.clamp(1, 64));
        while let Some(result) = finished.next().await {
            let Some((tenant, to, result, took)) = result else { continue };
            report.remaining -= 1;
            match result {
                Ok(done) => {
                    report.migrated += 1;
                    listener(&Event::Migrated {
                        tenant: tenant.slug.clone(),
                        from: done.from,
                        to,
                        attempts: done.attempts,
                        duration_ms: took.as_millis(),
                    });
                }
                Err((error, attempts)) => {
                    report.failed += 1;
                    self.failed(self.homes.control(), tenant, attempts, &error, listener).await?;
                }
            }
            if self.must_stop(report) {
                stop.cancel();
            }
        }
        Ok(())
    }

    fn must_stop(&self, report: &Report) -> bool {
        report.failed > self.options.max_failures || self.options.interrupt.is_cancelled()
    }

    async fn failed(
        &self,
        db: &DatabaseConnection,
        tenant: &TenantVersion,
        attempts: u32,
        error: &MigrateError,
        listener: Listener<'_>,
    ) -> Result<(), MigrateError> {
        let error = error.to_string();
        ledger::item_failed(db, self.id, tenant.id, attempts, &error).await?;
        listener(&Event::Failed { tenant: tenant.slug.clone(), attempts, error });
        Ok(())
    }
}

fn outcome(report: &Report, options: &Options) -> Outcome {
    if options.interrupt.is_cancelled() && report.remaining > 0 {
        Outcome::Interrupted
    } else if report.failed > 0 || report.remaining > 0 {
        if report.migrated == 0 { Outcome::Failed } else { Outcome::Partial }
    } else if !report.away.is_empty() {
        Outcome::Partial
    } else if report.waiting.is_some() && !options.expand_only {
        Outcome::Waiting
    } else {
        Outcome::Done
    }
}
