//! `praxis tenant`: clinics, from the first to the last day.

mod create;
mod domains;
mod limits;
mod pool;
mod records;

use anyhow::Result;
use clap::Subcommand;
use praxis_fleet::migrate::MigrateError;
use praxis_platform::tenancy::{Installation, connect_admin, installed};
use sqlx::postgres::PgConnection;

use super::{Context, Exit};

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a clinic, ready to be served
    Create(create::Create),
    /// List all clinics
    List,
    /// Show a clinic with its host names and what happened to it
    Show {
        /// Subdomain of the clinic
        slug: String,
    },
    /// Serve a clinic no more, until it is resumed
    Suspend {
        /// Subdomain of the clinic
        slug: String,
    },
    /// Serve a suspended clinic again
    Resume {
        /// Subdomain of the clinic
        slug: String,
    },
    /// The host names of a clinic's own
    Domains(domains::Domains),
    /// What a clinic may ask for and how fast, where it differs from the settings
    Limits(limits::Limits),
    /// Schemas made ahead of need, so that a new clinic is there at once
    Pool(pool::Pool),
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<Exit> {
    let (mut admin, installation) = admin(context).await?;
    match args.command {
        Command::Create(new) => create::run(&mut admin, &installation, new, context).await,
        Command::List => records::list(&mut admin, context).await,
        Command::Show { slug } => records::show(&mut admin, &slug, context).await,
        Command::Suspend { slug } => records::change_state(&mut admin, &slug, "SUSPENDED", context).await,
        Command::Resume { slug } => records::change_state(&mut admin, &slug, "ACTIVE", context).await,
        Command::Domains(domains) => domains::run(&mut admin, domains, context).await,
        Command::Limits(limits) => limits::run(&mut admin, limits, context).await,
        Command::Pool(pool) => pool::run(&mut admin, &installation, pool, context).await,
    }
}

/// A connection with the operator's rights to a database that holds an installation.
pub(super) async fn admin(context: &Context) -> Result<(PgConnection, Installation)> {
    let mut admin = connect_admin(context.config()?.database.url()?).await?;
    let installation = installed(&mut admin).await?.ok_or(MigrateError::NotInstalled)?;
    Ok((admin, installation))
}
