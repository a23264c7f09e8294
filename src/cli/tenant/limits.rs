//! `praxis tenant limits` and `praxis tenant usage`: what a clinic may ask for and how fast, what it may have, and has.

use std::str::FromStr;

use anyhow::Result;
use clap::ValueEnum;
use praxis_fleet::{
    registry,
    tenant::{self, Change, LimitChanges},
};
use sqlx::postgres::PgConnection;

use super::records;
use crate::cli::{Context, Exit, exit::UnknownTenant};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Limits {
    /// Subdomain of the clinic
    slug: String,
    /// Which operations are taken, if the installation's setting is not stricter
    #[arg(long, value_enum)]
    operations: Option<Mode>,
    /// Points the whole clinic may spend at once
    #[arg(long, value_name = "POINTS", value_parser = clap::value_parser!(i32).range(1..))]
    points: Option<i32>,
    /// Points the whole clinic gets back each second
    #[arg(long, value_name = "POINTS", value_parser = clap::value_parser!(i32).range(1..))]
    restore: Option<i32>,
    /// Points one person may spend at once
    #[arg(long, value_name = "POINTS", value_parser = clap::value_parser!(i32).range(1..))]
    actor_points: Option<i32>,
    /// Points one person gets back each second
    #[arg(long, value_name = "POINTS", value_parser = clap::value_parser!(i32).range(1..))]
    actor_restore: Option<i32>,
    /// Accounts that can sign in
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    seats: Option<i32>,
    /// Bytes of documents and of what was imported, as 500MB, 20GB or 20GiB
    #[arg(long, value_name = "SIZE")]
    storage: Option<Size>,
    /// Forget what the clinic had of its own before
    #[arg(long)]
    reset: bool,
}

/// Which operations are taken.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Mode {
    Open,
    Apq,
    Registered,
}

impl Mode {
    fn code(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Apq => "APQ",
            Self::Registered => "REGISTERED",
        }
    }
}

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Size(i64);

impl FromStr for Size {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected a number of bytes, as 500MB, 20GB or 20GiB";
        let unit = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(unit);
        let factor: i64 = match unit.trim_start().to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "kb" => 1_000,
            "mb" => 1_000_000,
            "gb" => 1_000_000_000,
            "tb" => 1_000_000_000_000,
            "kib" => 1 << 10,
            "mib" => 1 << 20,
            "gib" => 1 << 30,
            "tib" => 1 << 40,
            _ => return Err(EXPECTED),
        };
        let number: i64 = number.parse().map_err(|_| EXPECTED)?;
        number.checked_mul(factor).filter(|bytes| *bytes > 0).map(Self).ok_or(EXPECTED)
    }
}

/// Sets what is given and leaves the rest.
pub async fn run(admin: &mut PgConnection, limits: Limits, context: &Context) -> Result<Exit> {
    let reset = limits.reset;
    let changes = LimitChanges {
        operations: change(limits.operations.map(Mode::code), reset),
        points: change(limits.points, reset),
        restore: change(limits.restore, reset),
        actor_points: change(limits.actor_points, reset),
        actor_restore: change(limits.actor_restore, reset),
        seats: change(limits.seats, reset),
        storage_bytes: change(limits.storage.map(|Size(bytes)| bytes), reset),
    };
    let cells = context.config()?.database.cells()?;
    tenant::set_limits(admin, &cells, limits.slug.as_str(), changes).await?;
    records::show(admin, &limits.slug, context).await
}

fn change<T>(given: Option<T>, reset: bool) -> Change<T> {
    match given {
        Some(value) => Change::Set(value),
        None if reset => Change::Reset,
        None => Change::Keep,
    }
}

/// Shows how much a clinic has.
pub async fn usage(admin: &mut PgConnection, slug: &str, context: &Context) -> Result<Exit> {
    let found = registry::tenant(admin, slug).await?;
    let clinic = found.ok_or_else(|| UnknownTenant(slug.to_owned()))?;
    let cells = context.config()?.database.cells()?;
    let found = tenant::usage(admin, &cells, &[clinic.id]).await?;
    if !found.away.is_empty() {
        // Why, as whoever asks by hand wants to know.
        drop(cells.connect(&clinic.cell_id).await?);
        anyhow::bail!("the cell \"{}\" could not be asked", clinic.cell_id);
    }
    let rows = found.rows;
    context.output.print_rows(&["name", "used", "most"], &rows)?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_number_with_a_unit() {
        for (text, bytes) in [("1", 1), ("500MB", 500_000_000), ("20 GB", 20_000_000_000), ("2GiB", 1 << 31)]
        {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
        for wrong in ["", "0", "GB", "-1", "1.5GB", "9PB", "99999999999TB", "1GB2"] {
            assert!(wrong.parse::<Size>().is_err(), "{wrong}");
        }
    }
}
