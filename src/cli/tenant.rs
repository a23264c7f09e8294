//! `praxis tenant`: clinics, from the first to the last day.

mod clone;
mod create;
mod domains;
mod export;
mod footing;
mod limits;
mod operations;
mod pool;
mod records;
mod relocate;
mod restore;
mod shred;
mod states;

use anyhow::Result;
use clap::Subcommand;
use praxis_fleet::migrate::MigrateError;
use praxis_platform::{
    clock::SharedClock,
    tenancy::{Installation, connect_admin, installed},
};
use sqlx::postgres::PgConnection;

use super::{Context, Exit, Output};

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
    #[command(flatten)]
    State(states::Command),
    /// The host names of a clinic's own
    Domains(domains::Domains),
    /// What a clinic may ask for and how fast, where it differs from the settings; and how much it may have
    Limits(limits::Limits),
    /// Show how many seats and how much storage a clinic has and may have
    Usage {
        /// Subdomain of the clinic
        slug: String,
    },
    /// Schemas made ahead of need, so that a new clinic is there at once
    Pool(pool::Pool),
    /// Write a clinic into a sealed file, as it is at one moment
    Export(export::Export),
    /// Bring a clinic back from its export: in its place, or beside the live one
    Restore(restore::Restore),
    /// Make a sandbox that looks like a clinic and tells nothing of its patients
    Clone(clone::Clone),
    /// Bring a clinic to another cell while it works: writers wait for less than a second, and nothing is lost
    Move(relocate::Move),
    /// Exchange what was restored beside a suspended clinic with what is live
    Swap {
        /// Subdomain of the clinic
        slug: String,
    },
    /// Throw away what lies beside a clinic
    Discard {
        /// Subdomain of the clinic
        slug: String,
        /// Really throw it away
        #[arg(long)]
        yes: bool,
    },
    /// Destroy the keys of a clinic that has left, and print the certificate
    Shred(shred::Shred),
    /// Print the certificate of a clinic that was shredded, and check its signature
    Certificate {
        /// Subdomain of the clinic
        slug: String,
    },
    /// List what was done with a clinic as a whole, or with all of them
    Operations {
        /// Subdomain of the clinic
        slug: Option<String>,
    },
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<Exit> {
    let (mut admin, installation) = admin(context).await?;
    match args.command {
        Command::Create(new) => create::run(&mut admin, &installation, new, context).await,
        Command::List => records::list(&mut admin, context).await,
        Command::Show { slug } => records::show(&mut admin, &slug, context).await,
        Command::State(command) => states::run(&mut admin, command, context).await,
        Command::Domains(domains) => domains::run(&mut admin, domains, context).await,
        Command::Limits(limits) => limits::run(&mut admin, limits, context).await,
        Command::Usage { slug } => limits::usage(&mut admin, &slug, context).await,
        Command::Pool(pool) => pool::run(&mut admin, &installation, pool, context).await,
        Command::Export(export) => export::run(&mut admin, &installation, export, context).await,
        Command::Restore(restore) => restore::run(&mut admin, &installation, restore, context).await,
        Command::Clone(clone) => clone::run(&mut admin, &installation, clone, context).await,
        Command::Move(wanted) => relocate::run(&mut admin, &installation, wanted, context).await,
        Command::Swap { slug } => restore::swap(&mut admin, &installation, &slug, context).await,
        Command::Discard { slug, yes } => {
            restore::discard(&mut admin, &installation, (&slug, yes), context).await
        }
        Command::Shred(shred) => shred::run(&mut admin, &installation, shred, context).await,
        Command::Certificate { slug } => shred::certificate(&mut admin, &slug, context).await,
        Command::Operations { slug } => operations::run(&mut admin, slug.as_deref(), context).await,
    }
}

#[expect(clippy::print_stderr, reason = "stderr is where a command says what it did not do")]
fn tell(what: &str) {
    eprintln!("praxis: {what}");
}

/// What an operation is known by. One that nobody chose is told: it is needed to take up what was killed.
fn operation_key(given: Option<String>, clock: &SharedClock) -> String {
    given.unwrap_or_else(|| {
        let key = clock.new_id().to_string();
        tell(&format!("if this is killed, --idempotency-key {key} takes it up"));
        key
    })
}

/// Tells a stream how long work goes on; a table and a document are printed at the end.
fn progress(output: Output) -> impl Fn(&str, u64) + Send + Sync {
    move |step, rows| {
        if output == Output::Ndjson {
            let event = serde_json::json!({ "event": "advanced", "step": step, "rows": rows });
            if let Err(error) = output.print_one(&[], &event) {
                tracing::warn!(error = %error, "an event could not be printed");
            }
        }
    }
}

/// A connection with the operator's rights to a database that holds an installation.
pub(super) async fn admin(context: &Context) -> Result<(PgConnection, Installation)> {
    let mut admin = connect_admin(context.config()?.database.url()?).await?;
    let installation = installed(&mut admin).await?.ok_or(MigrateError::NotInstalled)?;
    Ok((admin, installation))
}
