//! `praxis config`: how this installation is set up, and who said so.

use std::env;

use anyhow::Result;
use serde_json::json;

use super::{Context, Exit};
use crate::config::Config;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print every setting; secrets are hidden
    Print {
        /// Also where each value comes from, and what it means
        #[arg(long)]
        explain: bool,
    },
}

/// Runs the subcommand.
pub async fn run(args: Args, context: &Context) -> Result<Exit> {
    let Command::Print { explain } = args.command;
    let (_, settings) = Config::explain(&context.overrides, &env::vars().collect())?;
    if explain {
        context.output.print_rows(&["key", "value", "source", "variable", "meaning"], &settings)?;
    } else {
        let values: Vec<_> =
            settings.iter().map(|setting| json!({ "key": setting.key, "value": setting.value })).collect();
        context.output.print_rows(&["key", "value"], &values)?;
    }
    Ok(Exit::Done)
}
