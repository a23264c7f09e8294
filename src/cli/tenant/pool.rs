//! `praxis tenant pool`: schemas made ahead of need, so that a new clinic is there at once.

use anyhow::Result;
use clap::Subcommand;
use praxis_fleet::tenant;
use praxis_platform::tenancy::{Installation, MAIN, WarmPool, warm_pool};
use serde::Serialize;
use sqlx::postgres::PgConnection;

use super::footing::Footing;
use crate::cli::{Context, Exit};

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
        /// The cell in which they are made
        #[arg(long, value_name = "NAME", default_value = MAIN)]
        cell: String,
        /// The template whose rows they are to hold, so that its clinics have nothing left to write; none by default
        #[arg(long, value_name = "NAME")]
        template: Option<String>,
    },
    /// Show how many schemas are ready
    Status {
        /// Only those of this cell
        #[arg(long, value_name = "NAME")]
        cell: Option<String>,
    },
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
    let (filled, cell) = match pool.command {
        Command::Status { cell } => (None, cell),
        Command::Fill { size, cell, template } => {
            let footing = Footing::of(admin, context).await?;
            let ground = footing.ground(installation, &|_, _| {});
            (Some(tenant::fill(admin, &ground, (&cell, template.as_deref()), size).await?), Some(cell))
        }
    };
    let shown = Shown {
        made: filled.as_ref().map(|filled| filled.made),
        mean_ms: filled.as_ref().map(|filled| filled.mean.as_millis()),
        pool: warm_pool(admin, cell.as_deref()).await?,
    };
    let columns = ["made", "mean_ms", "ready", "outdated", "reserved", "newer"];
    let made = usize::from(filled.is_none()) * 2;
    context.output.print_one(columns.get(made..).unwrap_or_default(), &shown)?;
    Ok(Exit::Done)
}
