//! `praxis schema`: what the API and the database look like, as text to be kept beside the code.

mod permissions;
mod phi;
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
    /// Print the GraphQL schema, with the policy of each field
    Print,
    /// Print the GraphQL schema of the control plane
    ControlPlane,
    /// List every field with what it asks of its reader and the protected health information it carries
    Phi,
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
        Command::Print => phi::print(),
        Command::ControlPlane => control_plane(),
        Command::Phi => phi::run(context),
        Command::Permissions { template } => permissions::run(template.as_deref(), context),
        Command::Snapshot => snapshot::run().await,
    }
}

#[expect(clippy::print_stdout, reason = "a schema is no table")]
fn control_plane() -> Result<Exit> {
    print!("{}", praxis_operators::ControlPlane::sdl());
    Ok(Exit::Done)
}
