//! `praxis migrate`: brings the control schema and all tenants to the version of this build.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use praxis_fleet::migrate::{Event, Fleet, Migrator, OnError, Options, Outcome, Report};
use praxis_platform::{
    clock::SystemClock,
    tenancy::{connect_admin, installed},
};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::{Context, Exit, Output};
use crate::root_key;

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what `up` would run
    Plan,
    /// Bring everything up to date; makes the installation in an empty database
    Up(Up),
    /// Show the version of every schema
    Status,
    /// Exit with 3 unless everything is up to date
    Verify,
}

#[derive(Debug, clap::Args)]
struct Up {
    /// Tenants migrated at the same time
    #[arg(long, value_name = "N", default_value_t = 4)]
    parallel: usize,
    /// Only this tenant
    #[arg(long, value_name = "SLUG")]
    tenant: Option<String>,
    /// How long to wait for a lock before a tenant is tried again later
    #[arg(long, value_name = "MS", default_value_t = 500)]
    lock_timeout: u64,
    /// What to do after a tenant could not be migrated
    #[arg(long, value_enum, default_value = "stop")]
    on_error: Reaction,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Reaction {
    /// Begin no other one
    Stop,
    /// Go on with the others
    Continue,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<Exit> {
    let migrator = Migrator::new(context.config()?.database.url()?);
    match args.command {
        Command::Up(up) => run_up(&migrator, up, context).await,
        Command::Plan => {
            let fleet = migrator.fleet().await?;
            let control = Row::new("(control)", fleet.control, fleet.control_target)
                .with_steps(migrator.control_steps_after(fleet.control));
            let rows: Vec<_> = std::iter::once(control)
                .chain(rows(&fleet).map(|row| Row { steps: migrator.tenant_steps_after(row.version), ..row }))
                .filter(|row| !row.steps.is_empty())
                .collect();
            context.output.print_rows(&["schema", "version", "target", "steps"], &rows)?;
            Ok(Exit::Done)
        }
        Command::Status => {
            print_state(&migrator.fleet().await?, context.output)?;
            Ok(Exit::Done)
        }
        Command::Verify => {
            let fleet = migrator.fleet().await?;
            print_state(&fleet, context.output)?;
            Ok(if fleet.is_current() { Exit::Done } else { Exit::NotUpToDate })
        }
    }
}

/// A schema as it is shown.
#[derive(Serialize)]
struct Row {
    schema: String,
    version: i32,
    target: i32,
    state: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    steps: Vec<String>,
}

impl Row {
    fn new(schema: &str, version: i32, target: i32) -> Self {
        let state = match version.cmp(&target) {
            std::cmp::Ordering::Less => "behind",
            std::cmp::Ordering::Equal => "current",
            std::cmp::Ordering::Greater => "newer than this build",
        };
        Self { schema: schema.to_owned(), version, target, state, steps: Vec::new() }
    }

    fn with_steps(self, steps: Vec<String>) -> Self {
        Self { steps, ..self }
    }
}

fn rows(fleet: &Fleet) -> impl Iterator<Item = Row> {
    fleet.tenants.iter().map(|tenant| Row::new(&tenant.slug, tenant.version, fleet.tenant_target))
}

fn print_state(fleet: &Fleet, output: Output) -> Result<()> {
    let control = Row::new("(control)", fleet.control, fleet.control_target);
    let rows: Vec<_> = std::iter::once(control).chain(rows(fleet)).collect();
    output.print_rows(&["schema", "version", "target", "state"], &rows)
}

async fn run_up(migrator: &Migrator, up: Up, context: &Context) -> Result<Exit> {
    // A new root key fits a new installation only: an old one's passwords and keys need the old one.
    let config = context.config()?;
    let mut admin = connect_admin(config.database.url()?).await?;
    let new = installed(&mut admin).await?.is_none();
    let keys =
        if new { root_key::make(&config.keys)? } else { root_key::find(&config.keys, &mut admin).await? };
    let interrupt = CancellationToken::new();
    let options = Options {
        parallel: up.parallel,
        tenant: up.tenant,
        lock_timeout: Duration::from_millis(up.lock_timeout),
        on_error: match up.on_error {
            Reaction::Stop => OnError::Stop,
            Reaction::Continue => OnError::Continue,
        },
        interrupt: interrupt.clone(),
    };
    let listening = tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            interrupt.cancel();
        }
    });
    let progress = Progress::new(context.output);
    let result = migrator
        .up(keys.wrapper.as_ref(), &(Arc::new(SystemClock) as _), &options, &|event| progress.show(event))
        .await;
    listening.abort();
    progress.bar.finish_and_clear();
    let report = result?;
    if new {
        root_key::remember(&config.keys, &mut admin).await?;
    }
    print_report(&report, context.output)?;
    Ok(match report.outcome {
        Outcome::Done => Exit::Done,
        Outcome::Partial => Exit::Partial,
        Outcome::Failed => Exit::Failed,
        Outcome::Interrupted => Exit::Interrupted,
    })
}

fn print_report(report: &Report, output: Output) -> Result<()> {
    #[derive(Serialize)]
    struct Finished<'a> {
        event: &'static str,
        #[serde(flatten)]
        report: &'a Report,
    }
    let columns = ["outcome", "run", "control", "migrated", "failed", "remaining", "target"];
    match output {
        Output::Ndjson => output.print_one(&columns, &Finished { event: "finished", report }),
        Output::Table | Output::Json => output.print_one(&columns, report),
    }
}

/// Shows how a run goes on: a bar on a terminal, one line of JSON per event in a stream.
struct Progress {
    output: Output,
    bar: ProgressBar,
}

impl Progress {
    fn new(output: Output) -> Self {
        let bar = if output == Output::Table { ProgressBar::no_length() } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} tenants, {eta} left {msg}") {
            bar.set_style(style);
        }
        Self { output, bar }
    }

    fn show(&self, event: &Event) {
        match event {
            Event::Control { .. } => {}
            Event::Started { tenants, .. } => {
                self.bar.set_length(u64::try_from(*tenants).unwrap_or(u64::MAX))
            }
            Event::Migrated { .. } => self.bar.inc(1),
            Event::Failed { tenant, error, .. } => {
                self.bar.inc(1);
                // To whoever looks at a terminal or a log; the stream and the ledger have it, too.
                if self.output == Output::Table {
                    self.bar.suspend(|| complain(tenant, error));
                }
            }
        }
        if self.output == Output::Ndjson
            && let Err(error) = self.output.print_one(&[], event)
        {
            tracing::warn!(error = %error, "an event could not be printed");
        }
    }
}

#[expect(clippy::print_stderr, reason = "stderr is where a command says what went wrong")]
fn complain(tenant: &str, error: &str) {
    eprintln!("{tenant}: {error}");
}
