//! `praxis migrate up`.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use clap::ValueEnum;
use praxis_fleet::migrate::{Migrator, Options, Outcome, Report, Waves};
use praxis_platform::{
    clock::SystemClock,
    tenancy::{connect_admin, installed},
};
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Chosen, progress::Progress};
use crate::{
    cli::{Context, Exit, Output},
    root_key,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    chosen: Chosen,
    /// Tenants migrated at the same time
    #[arg(long, value_name = "N", default_value_t = 4)]
    parallel: usize,
    /// In which order, such as `canary:5,25%,rest`
    #[arg(long = "wave", value_name = "WAVES", default_value_t)]
    waves: Waves,
    /// A command that is asked between two waves; the next one is begun when it ends well
    #[arg(long, value_name = "COMMAND")]
    gate: Option<String>,
    /// What to do after a tenant could not be migrated
    #[arg(long, value_enum, default_value = "stop", conflicts_with = "max_failures")]
    on_error: Reaction,
    /// Go on until more tenants than this could not be migrated
    #[arg(long, value_name = "N")]
    max_failures: Option<usize>,
    /// How long to wait for a lock before a step is tried again later
    #[arg(long, value_name = "MS", default_value_t = 500)]
    lock_timeout: u64,
    /// How long a statement may take; without it as long as it needs
    #[arg(long, value_name = "MS", default_value_t = 0)]
    statement_timeout: u64,
    /// Only what this run left undone
    #[arg(long, value_name = "RUN")]
    resume: Option<Uuid>,
    /// Leave out steps that take something away, and those after them
    #[arg(long)]
    expand_only: bool,
    /// Show what would be done, as `plan` does
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Reaction {
    /// Begin no other one
    Stop,
    /// Go on with the others
    Continue,
}

impl Args {
    pub(super) fn options(self) -> Options {
        let max_failures = self.max_failures.unwrap_or(match self.on_error {
            Reaction::Stop => 0,
            Reaction::Continue => usize::MAX,
        });
        Options {
            selection: self.chosen.selection(self.resume),
            parallel: self.parallel,
            waves: self.waves,
            max_failures,
            gate: self.gate,
            lock_timeout: Duration::from_millis(self.lock_timeout),
            statement_timeout: Duration::from_millis(self.statement_timeout),
            expand_only: self.expand_only,
            interrupt: CancellationToken::new(),
        }
    }
}

pub(super) async fn run(migrator: &Migrator, args: Args, context: &Context) -> Result<Exit> {
    // A new root key fits a new installation only: an old one's passwords and keys need the old one.
    let config = context.config()?;
    let mut admin = connect_admin(config.database.url()?).await?;
    let new = installed(&mut admin).await?.is_none();
    let keys =
        if new { root_key::make(&config.keys)? } else { root_key::find(&config.keys, &mut admin).await? };
    let options = args.options();
    let interrupt = options.interrupt.clone();
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
    progress.finish();
    let report = result?;
    if new {
        root_key::remember(&config.keys, &mut admin).await?;
    }
    print(&report, context.output)?;
    Ok(match report.outcome {
        Outcome::Done => Exit::Done,
        Outcome::Waiting => Exit::NotUpToDate,
        Outcome::Partial => Exit::Partial,
        Outcome::Failed => Exit::Failed,
        Outcome::Interrupted => Exit::Interrupted,
    })
}

fn print(report: &Report, output: Output) -> Result<()> {
    #[derive(Serialize)]
    struct Finished<'a> {
        event: &'static str,
        #[serde(flatten)]
        report: &'a Report,
    }
    let mut columns = vec!["outcome", "run", "control", "migrated", "failed", "remaining", "target"];
    if !report.away.is_empty() {
        columns.push("away");
    }
    if report.waiting.is_some() {
        columns.push("waiting");
    }
    match output {
        Output::Ndjson => output.print_one(&columns, &Finished { event: "finished", report }),
        Output::Table | Output::Json => output.print_one(&columns, report),
    }
}
