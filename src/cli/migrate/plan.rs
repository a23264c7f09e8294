//! `praxis migrate plan` and `rehearse`: what a run would do, on paper and in a few clinics.

use std::time::Duration;

use anyhow::Result;
use praxis_fleet::migrate::{Migrator, Options, Plan, PlannedLock};
use serde::Serialize;

use super::{Chosen, up};
use crate::cli::{Exit, Output};

/// A statement of a step, as it is shown on a terminal.
#[derive(Serialize)]
struct Row {
    step: String,
    way: &'static str,
    tenants: usize,
    statement: String,
    locks: Vec<String>,
}

pub(super) async fn show(migrator: &Migrator, args: up::Args, output: Output) -> Result<Exit> {
    let plan = migrator.plan(&args.options()).await?;
    if output != Output::Table {
        output.print_one(&[], &plan)?;
        return Ok(Exit::Done);
    }
    output.print_rows(&["step", "way", "tenants", "statement", "locks"], &rows(&plan))?;
    if !plan.waves.is_empty() {
        output.print_one(&["waves", "estimated_seconds", "waiting"], &Sum::of(&plan))?;
    }
    Ok(Exit::Done)
}

fn rows(plan: &Plan) -> Vec<Row> {
    let control = plan.control.iter().map(|step| Row {
        step: format!("(control) {step}"),
        way: "transaction",
        tenants: 0,
        statement: String::new(),
        locks: Vec::new(),
    });
    let tenants = plan.steps.iter().flat_map(|step| {
        step.statements.iter().map(|statement| Row {
            step: step.step.clone(),
            way: step.way,
            tenants: step.tenants,
            statement: statement.statement.clone(),
            locks: statement.locks.iter().map(shown).collect(),
        })
    });
    control.chain(tenants).collect()
}

fn shown(lock: &PlannedLock) -> String {
    let long = if lock.long { " (while its rows are read)" } else { "" };
    format!("{} on {}{long}", lock.mode, lock.table)
}

#[derive(Serialize)]
struct Sum {
    waves: Vec<String>,
    estimated_seconds: Option<String>,
    waiting: Vec<String>,
}

impl Sum {
    fn of(plan: &Plan) -> Self {
        let waiting = |step: &praxis_fleet::migrate::PlannedStep| {
            let why = step.waiting.as_ref()?;
            Some(match why.oldest_server {
                Some(build) => format!("{}: for a server of build {build}", why.step),
                None => format!("{}: left out", why.step),
            })
        };
        let mut waiting: Vec<_> = plan.steps.iter().filter_map(waiting).collect();
        waiting.dedup();
        Self {
            waves: plan.waves.iter().map(|(wave, tenants)| format!("{wave}: {tenants}")).collect(),
            estimated_seconds: plan.estimated_seconds.map(|seconds| format!("{seconds:.1}")),
            waiting,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct Rehearse {
    #[command(flatten)]
    chosen: Chosen,
    /// In how many of the chosen tenants
    #[arg(long, value_name = "N", default_value_t = 3)]
    sample: usize,
    /// How long to wait for a lock
    #[arg(long, value_name = "MS", default_value_t = 500)]
    lock_timeout: u64,
    /// How long it may take in each tenant, whose tables are locked for that time
    #[arg(long, value_name = "MS", default_value_t = 1000)]
    within: u64,
}

impl Rehearse {
    pub(super) async fn run(self, migrator: &Migrator, output: Output) -> Result<Exit> {
        let options = Options {
            selection: self.chosen.selection(None),
            lock_timeout: Duration::from_millis(self.lock_timeout),
            ..Options::default()
        };
        let rehearsed = migrator.rehearse(&options, self.sample, Duration::from_millis(self.within)).await?;
        output.print_rows(&["tenant", "step", "duration_ms", "error"], &rehearsed)?;
        let went_well = rehearsed.iter().all(|step| step.error.is_none());
        Ok(if went_well { Exit::Done } else { Exit::Failed })
    }
}
