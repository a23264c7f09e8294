//! `praxis migrate drift` and `repair`: schemas that somebody changed by hand.

use anyhow::Result;
use praxis_fleet::migrate::{Drift, Migrator, repair};
use serde::Serialize;

use super::Chosen;
use crate::cli::{Exit, Output};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    chosen: Chosen,
    /// Tenants looked at at the same time
    #[arg(long, value_name = "N", default_value_t = 2)]
    parallel: usize,
}

/// One difference, as it is shown.
#[derive(Serialize)]
struct Row<'a> {
    tenant: &'a str,
    version: i32,
    object: String,
    expected: Option<&'a str>,
    found: Option<&'a str>,
}

pub(super) async fn show(migrator: &Migrator, args: Args, output: Output) -> Result<Exit> {
    let Drift { drifted, newer, missing } =
        migrator.drift(&args.chosen.selection(None), args.parallel).await?;
    tell_missing(&missing);
    if newer > 0 {
        tracing::warn!(tenants = newer, "newer than this build and therefore not compared");
    }
    let rows: Vec<Row<'_>> = drifted
        .iter()
        .flat_map(|tenant| {
            tenant.differences.iter().map(|difference| Row {
                tenant: &tenant.tenant,
                version: tenant.version,
                object: difference.object.to_string(),
                expected: difference.expected.as_deref(),
                found: difference.found.as_deref(),
            })
        })
        .collect();
    output.print_rows(&["tenant", "version", "object", "expected", "found"], &rows)?;
    // Of what was not looked at nobody knows.
    let alike = drifted.is_empty() && newer == 0;
    Ok(match (missing.is_empty(), alike) {
        (false, _) => Exit::Partial,
        (true, false) => Exit::NotUpToDate,
        (true, true) => Exit::Done,
    })
}

/// Names the tenants that there is nothing to be compared of.
fn tell_missing(missing: &[String]) {
    for tenant in missing {
        tracing::warn!(%tenant, "its schema is not there: `praxis tenant restore` brings it back");
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct Repair {
    #[command(flatten)]
    chosen: Chosen,
    /// Do it, one transaction for each tenant
    #[arg(long)]
    yes: bool,
}

impl Repair {
    pub(super) async fn run(self, migrator: &Migrator, output: Output) -> Result<Exit> {
        let Drift { drifted, missing, .. } = migrator.drift(&self.chosen.selection(None), 2).await?;
        tell_missing(&missing);
        let mut repairs = Vec::new();
        for tenant in &drifted {
            repairs.push(if self.yes { migrator.put_right(tenant).await } else { repair(tenant) });
        }
        match output {
            // Ready to be read, and to be given to psql.
            Output::Table => repairs.iter().for_each(as_sql),
            Output::Json | Output::Ndjson => output.print_rows(&[], &repairs)?,
        }
        if !missing.is_empty() || repairs.iter().any(|repair| repair.error.is_some()) {
            return Ok(Exit::Partial);
        }
        let whole = repairs.iter().all(|repair| repair.done && repair.left.is_empty());
        Ok(if whole { Exit::Done } else { Exit::NotUpToDate })
    }
}

#[expect(clippy::print_stdout, reason = "a script is no table")]
fn as_sql(repair: &praxis_fleet::migrate::Repair) {
    println!(
        "-- {}{}",
        repair.tenant,
        if repair.done && !repair.statements.is_empty() { ": done" } else { "" }
    );
    repair.statements.iter().for_each(|statement| println!("{statement};"));
    repair.error.iter().for_each(|error| println!("-- not done: {error}"));
    repair.left.iter().for_each(|left| println!("-- left alone: {left}"));
}
