//! `praxis audit`: what an auditor does with the logs. Reads as the operator, changes nothing.

mod export;
mod prove;
mod verify;
mod watch;

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context as _, Result};
use clap::Subcommand;
use praxis_platform::{
    Op, OpFactory, Platform, Read,
    audit::{
        note::Verifier,
        signer,
        verify::{Kept, Walk},
    },
    tenancy::Directory,
};
use serde::Serialize;

use super::{
    Context, Exit,
    exit::UnknownTenant,
    operator::{at, installation, operations},
};

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the key that verifies a clinic's log; keep it apart from the database
    Key {
        /// Subdomain of the clinic
        #[arg(long, value_name = "SLUG")]
        tenant: String,
    },
    /// Verify logs from their first entry, and name the first bad one; exits with 1 when there is one
    Verify(verify::Verify),
    /// Prove that an entry is in the log
    Prove(prove::Prove),
    /// Verify a proof without a database
    Check(prove::Check),
    /// Write a log to a folder, for anyone's tools to verify
    Export(export::Export),
    /// Follow logs: verify what is new, and keep the newest checkpoints
    Watch(watch::Watch),
}

/// Which clinics.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// Subdomain of the clinic
    #[arg(long, value_name = "SLUG")]
    tenant: Option<String>,
    /// Every clinic
    #[arg(long)]
    all: bool,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<Exit> {
    match args.command {
        Command::Key { tenant } => key(&tenant, context).await,
        Command::Verify(args) => verify::run(args, context).await,
        Command::Prove(args) => prove::run(args, context).await,
        Command::Check(args) => prove::check(args, context),
        Command::Export(args) => export::run(args, context).await,
        Command::Watch(args) => watch::run(args, context).await,
    }
}

#[derive(Serialize)]
struct Key {
    tenant: String,
    key: String,
}

async fn key(slug: &str, context: &Context) -> Result<Exit> {
    let op = operations(context, slug).await?.read();
    let key = Key { tenant: slug.to_owned(), key: verifier(&op).await?.to_string() };
    context.output.print_one(&["tenant", "key"], &key)?;
    Ok(Exit::Done)
}

impl Which {
    async fn clinics(&self, context: &Context) -> Result<Vec<OpFactory>> {
        let (platform, directory) = installation(context).await?;
        self.among(&platform, &directory)
    }

    /// Those of the installation as it is known now.
    fn among(&self, platform: &Arc<Platform>, directory: &Directory) -> Result<Vec<OpFactory>> {
        let clinics = match &self.tenant {
            Some(slug) => {
                vec![directory.by_slug(slug).ok_or_else(|| UnknownTenant(slug.to_owned()))?]
            }
            None => directory.all(),
        };
        let mut clinics: Vec<_> =
            clinics.into_iter().map(|tenant| at(platform, Arc::clone(&tenant))).collect();
        clinics.sort_by(|a, b| a.tenant().slug.cmp(&b.tenant().slug));
        Ok(clinics)
    }
}

/// What verifies a clinic's log, from the clinic's own key.
async fn verifier(op: &Op<Read>) -> Result<Verifier> {
    let key = op.tenant_key().await?;
    Ok(signer(op.tenant(), &key)?.verifier().clone())
}

/// A walk along a clinic's log.
async fn walk(op: &Op<Read>, kept: Vec<Kept>) -> Result<Walk> {
    Ok(Walk::new(verifier(op).await?, op.tenant_key().await?, kept))
}

/// Checkpoints that were kept in files.
fn read_kept(files: &[PathBuf]) -> Result<Vec<Kept>> {
    let read = |file: &PathBuf| {
        let name = file.display().to_string();
        let note = std::fs::read_to_string(file).with_context(|| format!("reading {name}"))?;
        Ok(Kept { name, note })
    };
    files.iter().map(read).collect()
}
