//! The command line: one module per command, each with its `Args` and its `run`.
//!
//! Results go to stdout in the form asked for, everything else to stderr.

pub mod audit;
pub mod cell;
pub mod client;
pub mod completions;
pub mod config;
pub mod demo;
pub mod doctor;
pub mod exit;
pub mod fhir;
pub mod job;
pub mod key;
pub mod mail;
pub mod migrate;
pub mod operations;
pub mod operator;
pub mod operators;
pub mod output;
pub mod role;
pub mod schema;
pub mod serve;
pub mod template;
pub mod tenant;
pub mod user;
pub mod worker;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use futures::future::LocalBoxFuture;

pub use exit::Exit;
pub use output::Output;

use crate::{
    config::{Config, Invalid, Overrides},
    telemetry,
};

/// Serves clinics and hospitals behind one GraphQL API.
#[derive(Debug, Parser)]
#[command(name = "praxis", version, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options that every command has.
#[derive(Debug, Clone, Args)]
struct Global {
    /// Configuration file; praxis.toml of the current folder unless said otherwise
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address of the control database; better set as DATABASE_URL, which other users can't see
    #[arg(long, global = true, value_name = "URL", hide_env_values = true)]
    database_url: Option<String>,
    /// How results are printed
    #[arg(long, short, global = true, value_enum, default_value_t)]
    output: Output,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve two made-up clinics from a database of their own
    Demo(demo::Args),
    /// Serve all clinics
    Serve(serve::Args),
    /// Do the work that nobody waits for, without serving requests
    Worker(worker::Args),
    /// Bring the control schema and all tenants to the version of this build
    Migrate(migrate::Args),
    /// Make, list and change clinics
    Tenant(tenant::Args),
    /// The Postgres servers that hold clinics
    Cell(cell::Args),
    /// What clinics are made from, and brought up to date with
    Template(template::Args),
    /// The default roles of clinics
    Role(role::Args),
    /// People who sign in to a clinic
    User(user::Args),
    /// Mails that wait, and those that were given up
    Mail(mail::Args),
    /// Work that waits, and what was given up
    Job(job::Args),
    /// Documents that may be called by their id
    Operations(operations::Args),
    /// People who run the installation, and the port at which they see it
    Operator(operators::Args),
    /// Programs that call a clinic's API with credentials of their own
    Client(client::Args),
    /// Exchange records with other systems in FHIR
    Fhir(fhir::Args),
    /// Verify, prove, export and follow the audit logs
    Audit(audit::Args),
    /// Which keys there are, and whether they can be used
    Key(key::Args),
    /// What the API and the database look like
    Schema(schema::Args),
    /// Check the installation and say what to do about what is wrong
    Doctor(doctor::Args),
    /// Show the configuration
    Config(config::Args),
    /// Print the completion script of a shell
    Completions(completions::Args),
}

/// What every command is given.
#[derive(Debug, Clone)]
pub struct Context {
    /// How results are printed.
    pub output: Output,
    /// What the command line says about the configuration.
    pub overrides: Overrides,
}

impl Context {
    /// The configuration, read and judged.
    pub fn config(&self) -> Result<Config, Invalid> {
        Config::load(&self.overrides)
    }

    /// This context with one more setting given by a flag.
    pub fn with(&self, key: &'static str, value: Option<String>) -> Self {
        let mut context = self.clone();
        context.overrides.values.extend(value.map(|value| (key, value)));
        context
    }
}

impl Cli {
    /// Runs the command and says how it ended; failures are told on stderr.
    ///
    /// Boxed: so the commands are compiled with the library, and not once more with the binary that awaits them.
    pub fn run(self) -> LocalBoxFuture<'static, Exit> {
        Box::pin(self.told())
    }

    async fn told(self) -> Exit {
        let Self { global, command } = self;
        let values = global.database_url.map(|url| ("database.url", url)).into_iter().collect();
        let overrides = Overrides { file: global.config, values };
        let context = Context { output: global.output, overrides };
        // A wrong configuration is told by the command, if it needs one.
        // The demo has a configuration and a log of its own.
        if !matches!(command, Command::Demo(_)) {
            telemetry::init(context.config().ok().map(|config| config.log).as_ref());
        }
        match command.run(&context).await {
            Ok(exit) => exit,
            Err(error) if exit::is_broken_pipe(&error) => Exit::Done,
            Err(error) => {
                complain(&error);
                Exit::of(&error)
            }
        }
    }
}

impl Command {
    async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        match self {
            Self::Demo(args) => demo::run(args, context).await,
            Self::Serve(args) => serve::run(args, context).await,
            Self::Worker(args) => worker::run(args, context).await,
            Self::Migrate(args) => migrate::run(args, context).await,
            Self::Tenant(args) => tenant::run(args, context).await,
            Self::Cell(args) => cell::run(args, context).await,
            Self::Template(args) => template::run(args, context).await,
            Self::Role(args) => role::run(args, context).await,
            Self::User(args) => user::run(args, context).await,
            Self::Mail(args) => mail::run(args, context).await,
            Self::Job(args) => job::run(args, context).await,
            Self::Operations(args) => operations::run(args, context).await,
            Self::Operator(args) => operators::run(args, context).await,
            Self::Client(args) => client::run(args, context).await,
            Self::Fhir(args) => fhir::run(args, context).await,
            Self::Audit(args) => audit::run(args, context).await,
            Self::Key(args) => key::run(args, context).await,
            Self::Schema(args) => schema::run(args, context).await,
            Self::Doctor(args) => doctor::run(args, context).await,
            Self::Config(args) => config::run(args, context).await,
            Self::Completions(args) => completions::run(args, context).await,
        }
    }
}

#[expect(clippy::print_stderr, reason = "stderr is where a command says why it failed")]
fn complain(error: &anyhow::Error) {
    eprintln!("praxis: {error:#}");
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_tree_of_commands_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_options_are_taken_before_and_after_the_command() {
        for line in [&["praxis", "-o", "json", "doctor"][..], &["praxis", "doctor", "--output", "json"]] {
            assert_eq!(Cli::try_parse_from(line).unwrap().global.output, Output::Json);
        }
    }
}
