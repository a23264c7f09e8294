//! `praxis schema`: what the API and the database look like, as text to be kept beside the code.

mod permissions;
mod snapshot;

use anyhow::Result;
use clap::Subcommand;

use super::{Context, Exit};

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List every permission and the roles that hold it in each template
    Permissions {
        /// Only this template
        #[arg(long, value_name = "NAME")]
        template: Option<String>,
    },
    /// Print the tenant schema as one piece of SQL, made by a private PostgreSQL
    #[command(hide = true)]
    Snapshot,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<Exit> {
    match args.command {
        Command::Permissions { template } => permissions::run(template.as_deref(), context),
        Command::Snapshot => snapshot::run().await,
    }
}
