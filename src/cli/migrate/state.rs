//! `praxis migrate status` and `verify`: which schema is at which version.

use std::{cmp::Ordering, collections::BTreeMap};

use anyhow::Result;
use praxis_fleet::migrate::{Fleet, Migrator};
use serde::Serialize;

use crate::cli::{Exit, Output};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How many tenants are at each version, instead of each one
    #[arg(long)]
    by_version: bool,
}

/// A schema, or all tenants of one version.
#[derive(Serialize)]
struct Row {
    schema: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenants: Option<usize>,
    version: Option<i32>,
    target: i32,
    state: &'static str,
}

impl Row {
    fn new(schema: &str, version: impl Into<Option<i32>>, target: i32) -> Self {
        let version = version.into();
        let state = match version.map(|version| version.cmp(&target)) {
            None => "away",
            Some(Ordering::Less) => "behind",
            Some(Ordering::Equal) => "current",
            Some(Ordering::Greater) => "newer than this build",
        };
        Self { schema: schema.to_owned(), tenants: None, version, target, state }
    }
}

pub(super) async fn status(migrator: &Migrator, args: &Args, output: Output) -> Result<Exit> {
    print(&migrator.fleet().await?, args, output)?;
    Ok(Exit::Done)
}

pub(super) async fn verify(migrator: &Migrator, args: &Args, output: Output) -> Result<Exit> {
    let fleet = migrator.fleet().await?;
    print(&fleet, args, output)?;
    Ok(match (fleet.is_current(), fleet.away().next()) {
        (false, _) => Exit::NotUpToDate,
        (true, Some(_)) => Exit::Partial,
        (true, None) => Exit::Done,
    })
}

fn print(fleet: &Fleet, args: &Args, output: Output) -> Result<()> {
    let mut rows = vec![Row::new("(control)", fleet.control, fleet.control_target)];
    rows.extend(
        fleet
            .cells
            .iter()
            .map(|cell| Row::new(&format!("(cell {})", cell.name), cell.version, fleet.cell_target)),
    );
    let target = fleet.tenant_target;
    if args.by_version {
        let mut count: BTreeMap<i32, usize> = BTreeMap::new();
        for tenant in &fleet.tenants {
            *count.entry(tenant.version).or_default() += 1;
        }
        rows.extend(count.into_iter().map(|(version, tenants)| Row {
            tenants: Some(tenants),
            ..Row::new("(tenants)", version, target)
        }));
        return output.print_rows(&["schema", "tenants", "version", "target", "state"], &rows);
    }
    rows.extend(fleet.tenants.iter().map(|tenant| Row::new(&tenant.slug, tenant.version, target)));
    output.print_rows(&["schema", "version", "target", "state"], &rows)
}
