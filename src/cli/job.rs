//! `praxis job`: work that waits, and what was given up.

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use clap::{Subcommand, ValueEnum};
use praxis_entity::{
    ids::JobId,
    job::{self, JobStatus},
};
use praxis_platform::jobs::{self, JobFilter};
use serde::Serialize;

use super::{Context, Exit, operator::operations};

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List jobs, those that are neither done nor discarded unless said otherwise
    List {
        /// Subdomain of the clinic
        #[arg(long, value_name = "SLUG")]
        tenant: String,
        /// Only those
        #[arg(long, value_enum)]
        status: Option<Status>,
        /// Only reactions or work of this name
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
    },
    /// Show one job
    Show {
        /// Subdomain of the clinic
        #[arg(long, value_name = "SLUG")]
        tenant: String,
        /// Which one
        id: JobId,
    },
    /// Try jobs anew that were given up
    Retry {
        /// Subdomain of the clinic
        #[arg(long, value_name = "SLUG")]
        tenant: String,
        /// Only this one
        #[arg(long, value_name = "ID")]
        id: Option<JobId>,
    },
    /// Decide that jobs that were given up are not to be done
    Discard {
        /// Subdomain of the clinic
        #[arg(long, value_name = "SLUG")]
        tenant: String,
        /// Only this one, which may also be waiting
        #[arg(long, value_name = "ID")]
        id: Option<JobId>,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Status {
    /// Waiting until it is due
    Queued,
    /// In the hands of a worker
    Running,
    /// Done
    Done,
    /// Given up
    Dead,
    /// Not to be done
    Discarded,
}

impl From<Status> for JobStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Queued => Self::Queued,
            Status::Running => Self::Running,
            Status::Done => Self::Done,
            Status::Dead => Self::Dead,
            Status::Discarded => Self::Discarded,
        }
    }
}

#[derive(Serialize)]
struct Row {
    id: String,
    name: String,
    status: JobStatus,
    attempts: i32,
    run_at: DateTime<Utc>,
    last_error: Option<String>,
    created_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
    event: Option<String>,
    dedupe_key: Option<String>,
    payload: Option<serde_json::Value>,
}

#[derive(Serialize)]
struct Changed {
    changed: u64,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<Exit> {
    match args.command {
        Command::List { tenant, status, name } => {
            let op = operations(context, &tenant).await?.read();
            let which = JobFilter { status: status.map(JobStatus::from), name };
            let rows: Vec<Row> = jobs::list(&op, &which).await?.into_iter().map(Row::from).collect();
            let columns = ["id", "name", "status", "attempts", "run_at", "last_error"];
            context.output.print_rows(&columns, &rows)?;
        }
        Command::Show { tenant, id } => {
            let op = operations(context, &tenant).await?.read();
            let job = jobs::by_id(&op, id).await?.with_context(|| format!("there is no job {id}"))?;
            let columns = [
                "id",
                "name",
                "status",
                "attempts",
                "run_at",
                "last_error",
                "created_at",
                "finished_at",
                "event",
                "dedupe_key",
                "payload",
            ];
            context.output.print_one(&columns, &Row::from(job))?;
        }
        Command::Retry { tenant, id } => {
            let op = operations(context, &tenant).await?.write().await?;
            let changed = jobs::retry(&op, id).await?;
            op.commit().await?;
            context.output.print_one(&["changed"], &Changed { changed })?;
        }
        Command::Discard { tenant, id } => {
            let op = operations(context, &tenant).await?.write().await?;
            let changed = jobs::discard(&op, id).await?;
            op.commit().await?;
            context.output.print_one(&["changed"], &Changed { changed })?;
        }
    }
    Ok(Exit::Done)
}

impl From<job::Model> for Row {
    fn from(job: job::Model) -> Self {
        Self {
            id: job.id.to_string(),
            name: job.name,
            status: job.status,
            attempts: job.attempts,
            run_at: job.run_at,
            last_error: job.last_error,
            created_at: job.created_at,
            finished_at: job.finished_at,
            event: job.event_id.map(|event| event.to_string()),
            dedupe_key: job.dedupe_key,
            payload: job.payload,
        }
    }
}
