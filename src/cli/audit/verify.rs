//! `praxis audit verify`.

use std::{path::PathBuf, time::Instant};

use anyhow::{Result, bail};
use praxis_platform::{OpFactory, audit::verify::Finding};
use serde::Serialize;

use super::{Context, Exit, Which, read_kept, verifier, walk};
use crate::cli::Output;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Verify {
    #[command(flatten)]
    which: Which,
    /// A checkpoint that was kept apart from the database; may be given several times
    #[arg(long = "checkpoint", value_name = "FILE", requires = "tenant")]
    checkpoints: Vec<PathBuf>,
    /// The log's key, as it was kept apart from the database
    #[arg(long, value_name = "KEY", requires = "tenant")]
    key: Option<String>,
}

#[derive(Serialize)]
struct Row {
    tenant: String,
    entries: u64,
    waiting: usize,
    checkpoints: u64,
    first_bad: Option<String>,
    duration_ms: u128,
    findings: Vec<Finding>,
}

pub(super) async fn run(args: Verify, context: &Context) -> Result<Exit> {
    let (mut rows, mut left) = (Vec::new(), Vec::new());
    for clinic in args.which.clinics(context).await? {
        let slug = &clinic.tenant().slug;
        match verify(&clinic, &args).await {
            Ok(row) => rows.push(row),
            // One log that can't be read keeps nobody from looking at the others.
            Err(error) if args.which.all => left.push(format!("{slug}: not verified: {error:#}")),
            Err(error) => return Err(error),
        }
    }
    context
        .output
        .print_rows(&["tenant", "entries", "waiting", "checkpoints", "first_bad", "duration_ms"], &rows)?;
    if context.output == Output::Table {
        tell(&rows);
    }
    left.iter().for_each(|left| say(left));
    let sound = rows.iter().all(|row| row.findings.is_empty());
    Ok(match (sound, left.is_empty()) {
        (false, _) => Exit::Failed,
        (true, false) => Exit::Partial,
        (true, true) => Exit::Done,
    })
}

async fn verify(clinic: &OpFactory, args: &Verify) -> Result<Row> {
    let start = Instant::now();
    let op = clinic.read();
    if let Some(key) = &args.key
        && verifier(&op).await?.to_string() != key.trim()
    {
        bail!("the clinic's key is not the one given");
    }
    let mut walk = walk(&op, read_kept(&args.checkpoints)?).await?;
    walk.advance(&op).await?;
    let verified = walk.finish(&op).await?;
    Ok(Row {
        tenant: clinic.tenant().slug.clone(),
        entries: verified.entries,
        waiting: verified.waiting,
        checkpoints: verified.checkpoints,
        first_bad: verified.first_bad,
        duration_ms: start.elapsed().as_millis(),
        findings: verified.findings,
    })
}

fn tell(rows: &[Row]) {
    for row in rows {
        for finding in &row.findings {
            say(&format!("{}: {}", row.tenant, finding.text));
        }
    }
}

#[expect(clippy::print_stderr, reason = "a table has no room for what is not a row of it")]
fn say(text: &str) {
    eprintln!("{text}");
}
