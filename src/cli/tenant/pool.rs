//! `praxis tenant pool`: schemas made ahead of need, so that a new clinic is there at once.

use std::sync::Arc;

use anyhow::Result;
use clap::Subcommand;
use praxis_platform::{
    clock::SystemClock,
    tenancy::{Installation, WarmPool, fill_warm_pool, warm_pool},
};
use serde::Serialize;
use sqlx::postgres::PgConnection;

use crate::{
    cli::{Context, Exit},
    root_key,
};

/// What to do with the pool.
#[derive(Debug, clap::Args)]
pub struct Pool {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make schemas until the pool has its size, and those of an older version anew
    Fill {
        /// How many schemas are to be ready
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(0..=1_000))]
        size: i64,
    },
    /// Show how many schemas are ready
    Status,
}

#[derive(Serialize)]
struct Shown {
    #[serde(skip_serializing_if = "Option::is_none")]
    made: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mean_ms: Option<u128>,
    #[serde(flatten)]
    pool: WarmPool,
}

/// Runs the command.
pub async fn run(
    admin: &mut PgConnection,
    installation: &Installation,
    pool: Pool,
    context: &Context,
) -> Result<Exit> {
    let filled = match pool.command {
        Command::Status => None,
        Command::Fill { size } => {
            let keys = root_key::find(&context.config()?.keys, admin).await?.wrapper;
            let clock = Arc::new(SystemClock) as _;
            Some(fill_warm_pool(admin, installation, keys.as_ref(), &clock, size).await?)
        }
    };
    let shown = Shown {
        made: filled.as_ref().map(|filled| filled.made),
        mean_ms: filled.as_ref().map(|filled| filled.mean.as_millis()),
        pool: warm_pool(admin).await?,
    };
    let columns = ["made", "mean_ms", "ready", "outdated", "reserved", "newer"];
    let made = usize::from(filled.is_none()) * 2;
    context.output.print_one(columns.get(made..).unwrap_or_default(), &shown)?;
    Ok(Exit::Done)
}
