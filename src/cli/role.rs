//! `praxis role`: the default roles of clinics.

use anyhow::Result;
use clap::Subcommand;
use praxis_domain::template::Fate;
use praxis_platform::tenancy::seed::Kind;
use serde::Serialize;

use super::{Context, Exit, template::upgrade::Clinics};

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Do what `template apply` does, for roles only
    Ensure(Ensure),
}

#[derive(Debug, clap::Args)]
struct Ensure {
    /// Subdomain of the clinic
    #[arg(long, value_name = "SLUG", required_unless_present = "all")]
    tenant: Option<String>,
    /// All clinics
    #[arg(long, conflicts_with = "tenant")]
    all: bool,
}

#[derive(Serialize)]
struct Row {
    tenant: String,
    made: Vec<String>,
    renewed: Vec<String>,
    retired: Vec<String>,
    kept: Vec<String>,
    /// Why it stays as it is.
    error: Option<String>,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<Exit> {
    let Command::Ensure(ensure) = args.command;
    let mut clinics = Clinics::find(context, ensure.tenant.as_deref(), None).await?;
    let mut rows = Vec::new();
    for clinic in std::mem::take(&mut clinics.all) {
        let brought = clinics.bring(&clinic, &clinic.template, Some(Kind::Role), true).await;
        // One that can't follow keeps no other waiting.
        let (changes, error) = match brought {
            Ok(brought) => (brought.changes, None),
            Err(error) => (Vec::new(), Some(format!("{error:#}"))),
        };
        let of = |fates: &[Fate]| {
            let of = changes.iter().filter(|(.., fate)| fates.contains(fate));
            of.map(|(_, code, _)| code.clone()).collect()
        };
        rows.push(Row {
            made: of(&[Fate::Added]),
            renewed: of(&[Fate::Renewed]),
            retired: of(&[Fate::Retired]),
            kept: of(&[Fate::Kept, Fate::Conflict]),
            tenant: clinic.slug,
            error,
        });
    }
    context.output.print_rows(&["tenant", "made", "renewed", "retired", "kept", "error"], &rows)?;
    let failed = rows.iter().filter(|row| row.error.is_some()).count();
    Ok(match failed {
        0 => Exit::Done,
        all if all == rows.len() => Exit::Failed,
        _ => Exit::Partial,
    })
}
