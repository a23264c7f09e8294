//! `praxis cell`: the Postgres servers that hold clinics.

use anyhow::{Context as _, Result};
use clap::Subcommand;
use praxis_fleet::{
    cells::{self, CellState, Role},
    migrate::{CellError, MigrateError, Migrator, add_cell},
};
use praxis_platform::tenancy::{connect_admin, installed};
use serde::Serialize;

use super::{Context, Exit};
use crate::root_key;

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a cell of the database that PRAXIS_CELLS names for it; it may be run again
    Add {
        /// Name of the cell, such as `east`
        name: String,
        /// How many clinics it may hold
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
        max_tenants: Option<i32>,
    },
    /// List all cells: how many clinics each holds, whether it answers, and its version
    List,
    /// Let a cell take no new clinics
    Drain {
        /// Name of the cell
        name: String,
    },
    /// Let a cell take clinics again
    Activate {
        /// Name of the cell
        name: String,
    },
}

const COLUMNS: [&str; 8] =
    ["name", "role", "tenants", "max_tenants", "configured", "reachable", "version", "problem"];

/// What became of a cell.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    cell: CellState,
    /// Whether it is another than before.
    changed: bool,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<Exit> {
    let config = context.config()?;
    let known = config.database.cells()?;
    let mut control = connect_admin(known.control()).await?;
    let installation = installed(&mut control).await?.ok_or(MigrateError::NotInstalled)?;
    let (name, changed) = match args.command {
        Command::List => {
            let all = cells::list(&mut control, &installation, &known).await?;
            context.output.print_rows(&COLUMNS, &all)?;
            return Ok(Exit::Done);
        }
        Command::Add { name, max_tenants } => {
            let keys = root_key::find(&config.keys, &mut control).await?.wrapper;
            let is_new = add_cell(&Migrator::new(&known), keys.as_ref(), &name, max_tenants).await?;
            (name, is_new)
        }
        Command::Drain { name } => {
            let changed = cells::set_role(&mut control, &name, Role::Draining).await?;
            (name, changed)
        }
        Command::Activate { name } => {
            let changed = cells::set_role(&mut control, &name, Role::Active).await?;
            (name, changed)
        }
    };
    let all = cells::list(&mut control, &installation, &known).await?;
    let cell = all.into_iter().find(|cell| cell.name == name);
    let cell = cell.ok_or_else(|| CellError::Unknown(name.clone())).context("it was there a moment ago")?;
    context.output.print_one(&COLUMNS, &Shown { cell, changed })?;
    Ok(Exit::Done)
}
