//! `praxis migrate`: brings the control schema and all tenants to the version of this build, and shows where they are.

mod develop;
mod drift;
mod plan;
mod progress;
mod state;
mod up;

use anyhow::Result;
use clap::Subcommand;
use praxis_fleet::migrate::{Migrator, Selection};
use uuid::Uuid;

use super::{Context, Exit};

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what `up` would run, what it would lock, and how long it may take
    Plan(up::Args),
    /// Bring everything up to date; makes the installation in an empty database
    Up(up::Args),
    /// Run the missing steps in a few tenants and take them back
    Rehearse(plan::Rehearse),
    /// Show the version of every schema
    Status(state::Args),
    /// Exit with 3 unless everything is up to date
    Verify(state::Args),
    /// Find schemas that somebody changed by hand; exits with 3 if there are any
    Drift(drift::Args),
    /// Show what would put such schemas right; with `--yes` do it
    Repair(drift::Repair),
    /// Find faults of the steps of this build; exits with 1 if there are any
    Lint,
    /// Begin a new step of the tenant schema, in a checkout of the source
    New(develop::New),
}

/// Which clinics.
#[derive(Debug, Clone, clap::Args)]
struct Chosen {
    /// Only this tenant; may be given several times
    #[arg(long = "tenant", value_name = "SLUG")]
    tenants: Vec<String>,
    /// Only tenants whose slug is like this, with `*` and `?`
    #[arg(long = "match", value_name = "PATTERN")]
    matching: Option<String>,
}

impl Chosen {
    fn selection(self, resume: Option<Uuid>) -> Selection {
        Selection { tenants: self.tenants, matching: self.matching, resume }
    }
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<Exit> {
    let output = context.output;
    // Not all of them are about a database.
    let migrator = || -> Result<Migrator> { Ok(Migrator::new(&context.config()?.database.cells()?)) };
    match args.command {
        Command::Up(args) if args.dry_run => plan::show(&migrator()?, args, output).await,
        Command::Up(args) => up::run(&migrator()?, args, context).await,
        Command::Plan(args) => plan::show(&migrator()?, args, output).await,
        Command::Rehearse(args) => args.run(&migrator()?, output).await,
        Command::Status(args) => state::status(&migrator()?, &args, output).await,
        Command::Verify(args) => state::verify(&migrator()?, &args, output).await,
        Command::Drift(args) => drift::show(&migrator()?, args, output).await,
        Command::Repair(args) => args.run(&migrator()?, output).await,
        Command::Lint => develop::lint(output),
        Command::New(new) => new.write(output),
    }
}
