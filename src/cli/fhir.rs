//! `praxis fhir`: takes in what other systems exported.

use std::path::PathBuf;

use anyhow::Result;
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use praxis_interop::fhir::{Input, Options, Report, import};

use super::{Context, Exit, Output, operator::operations};

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Import FHIR R4 bundles, NDJSON files and single resources; importing twice adds nothing
    Import(Import),
}

#[derive(Debug, clap::Args)]
struct Import {
    /// Subdomain of the clinic
    #[arg(long, value_name = "SLUG")]
    tenant: String,
    /// Name of the system the files come from, where its ids may also be given by others
    #[arg(long, value_name = "NAME", default_value = "")]
    source: String,
    /// The files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<Exit> {
    match args.command {
        Command::Import(args) => run_import(args, context).await,
    }
}

async fn run_import(args: Import, context: &Context) -> Result<Exit> {
    let input = Input::open(&args.files)?;
    let factory = operations(context, &args.tenant).await?;
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} resources, {per_sec}, {eta} left")?;
    // Hidden by itself where standard error is no terminal.
    let bar = ProgressBar::new(input.resources()).with_style(style);
    let report =
        import(&factory, &input, Options { source: &args.source, progress: &|done| bar.set_position(done) })
            .await;
    bar.finish_and_clear();
    let report = report?;
    print(&report, context.output)?;
    Ok(if report.failed() > 0 { Exit::Partial } else { Exit::Done })
}

#[expect(clippy::print_stderr, reason = "a table has no room for what is not a row of it")]
fn print(report: &Report, output: Output) -> Result<()> {
    if output != Output::Table {
        return output.print_one(&[], report);
    }
    output.print_rows(
        &["resource_type", "read", "created", "unchanged", "kept_sealed", "failed"],
        &report.types,
    )?;
    for failed in &report.failures {
        eprintln!("{}:{}: {} {}", failed.file, failed.position, failed.path, failed.reason);
    }
    let unlisted = report.failed().saturating_sub(report.failures.len() as u64);
    if unlisted > 0 {
        eprintln!("and {unlisted} more");
    }
    eprintln!("{} ms, {} rows/s", report.duration_ms, report.rows_per_second);
    Ok(())
}
