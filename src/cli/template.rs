//! `praxis template`: what new clinics are made from, and those that are there brought to.

pub(super) mod upgrade;

use std::path::PathBuf;

use anyhow::Result;
use clap::Subcommand;
use praxis_platform::template::{Source, Template, lint};
use serde::Serialize;

use super::{Context, Exit};

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the templates shipped with this build
    List,
    /// Check templates; without a folder, the shipped ones
    Lint {
        /// A folder of templates, or of one template
        dir: Option<PathBuf>,
    },
    /// Show what `apply` would do; exits with 3 when there is something to do
    Plan(upgrade::Upgrade),
    /// Bring clinics to what their templates say now, but for what they made their own
    Apply(upgrade::Upgrade),
}

#[derive(Serialize)]
struct Row {
    name: String,
    version: String,
    extends: Option<String>,
    title: String,
    locale: String,
    time_zone: String,
    roles: Vec<String>,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<Exit> {
    match args.command {
        Command::Plan(which) => upgrade::run(which, false, context).await,
        Command::Apply(which) => upgrade::run(which, true, context).await,
        Command::List => {
            let source = Source::shipped();
            let rows =
                source.names().into_iter().map(|name| row(&source, name)).collect::<Result<Vec<_>>>()?;
            context
                .output
                .print_rows(&["name", "version", "extends", "title", "locale", "time_zone"], &rows)?;
            Ok(Exit::Done)
        }
        Command::Lint { dir } => {
            let source = match dir {
                Some(dir) => Source::directory(&dir)?,
                None => Source::shipped(),
            };
            let findings = lint(&source);
            context.output.print_rows(&["file", "path", "message"], &findings)?;
            Ok(if findings.is_empty() { Exit::Done } else { Exit::Failed })
        }
    }
}

fn row(source: &Source, name: &str) -> Result<Row> {
    let Template { manifest, roles, .. } = Template::load(source, name)?;
    Ok(Row {
        name: manifest.name,
        version: manifest.version,
        extends: manifest.extends,
        title: manifest.title,
        locale: manifest.locale,
        time_zone: manifest.time_zone,
        roles: roles.into_iter().map(|role| role.into_item().code).collect(),
    })
}
