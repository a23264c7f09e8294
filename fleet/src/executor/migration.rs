//! A run of migrations, as it is asked for at the control plane: its progress is in the ledger of runs.

use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Executor;
use crate::{
    migrate::{Event, Migrator, Options, Outcome, Report, Selection, Waves},
    tenant::{LifeError, Operation, fits_this_build, operation::Work},
};

/// Which clinics are brought forward, and how. Gates are commands of a shell, which nobody gives over the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// Only the clinics of these subdomains.
    pub tenants: Vec<String>,
    /// Only what an earlier run left undone.
    pub resume: Option<Uuid>,
    /// In which order, such as `canary:5,rest`.
    pub waves: Option<String>,
    /// How many at a time.
    pub parallel: Option<u8>,
    /// After how many that could not be migrated no other one is begun.
    pub max_failures: Option<u32>,
    /// Leave out steps that take something away, and all after the first of them.
    pub expand_only: bool,
}

impl Run {
    /// As the migrator takes it.
    pub fn options(&self, interrupt: CancellationToken) -> Result<Options, LifeError> {
        let waves = match self.waves.as_deref() {
            Some(text) => {
                text.parse::<Waves>().map_err(|error| LifeError::invalid("waves", error.to_string()))?
            }
            None => Waves::default(),
        };
        let defaults = Options::default();
        let parallel = self.parallel.map_or(defaults.parallel, usize::from);
        if !(1..=64).contains(&parallel) {
            return Err(LifeError::invalid("parallel", "from 1 to 64 at a time".to_owned()));
        }
        let max_failures = self
            .max_failures
            .map_or(defaults.max_failures, |most| usize::try_from(most).unwrap_or(usize::MAX));
        let selection = Selection { tenants: self.tenants.clone(), matching: None, resume: self.resume };
        let expand_only = self.expand_only;
        Ok(Options { selection, waves, parallel, max_failures, expand_only, interrupt, ..defaults })
    }

    pub(super) async fn go(
        self,
        executor: &Executor,
        operation: &Operation,
        stop: CancellationToken,
    ) -> Result<(), LifeError> {
        let Some(mut work) = executor.take_up(operation).await? else { return Ok(()) };
        let report = self.migrate(executor, &mut work, stop).await;
        // Told to stop: it stays under way, and whoever looks next goes on.
        if report.as_ref().is_ok_and(|report| report.outcome == Outcome::Interrupted) {
            return Ok(());
        }
        let ended = report.and_then(|report| match report.outcome {
            Outcome::Done | Outcome::Waiting => Ok(report),
            Outcome::Partial if report.failed + report.remaining == 0 => {
                let away = report.away.join(", ");
                Err(LifeError::Refused(format!(
                    "the clinics are there, and these cells could not be brought forward: {away}"
                )))
            }
            _ => Err(LifeError::Refused(format!(
                "{} clinics could not be migrated, and {} were not begun",
                report.failed, report.remaining
            ))),
        });
        work.end(ended).await.map(drop)
    }

    async fn migrate(
        &self,
        executor: &Executor,
        work: &mut Work,
        stop: CancellationToken,
    ) -> Result<Report, LifeError> {
        // Only the command line brings the control schema forward: this process is not made for another one.
        fits_this_build(&mut *executor.pool.acquire().await?).await?;
        let options = self.options(stop.child_token())?;
        let migrator = Migrator::new(&executor.cells);
        let (events, mut heard) = mpsc::unbounded_channel();
        let listener = move |event: &Event| drop(events.send(event.clone()));
        let run = migrator.up(executor.keys.as_ref(), &executor.clock, &options, &listener);
        tokio::pin!(run);
        let mut migrated = 0;
        let report = loop {
            tokio::select! {
                report = &mut run => break report,
                Some(event) = heard.recv() => match event {
                    Event::Started { run, .. } => work.tell(&json!({ "run": run })).await?,
                    Event::Migrated { .. } => {
                        migrated += 1;
                        work.at("migrate", migrated).await?;
                    }
                    _ => {}
                },
            }
        };
        report.map_err(|error| LifeError::Refused(error.to_string()))
    }
}
