//! `praxis tenant domains`: host names that lead to a clinic besides its subdomain.

use anyhow::{Result, ensure};
use chrono::{DateTime, Utc};
use clap::Subcommand;
use praxis_fleet::{registry, tenant};
use serde::Serialize;
use sqlx::postgres::PgConnection;

use crate::cli::{Context, Exit, exit::UnknownTenant};

/// Whose host names, and what to do.
#[derive(Debug, clap::Args)]
pub struct Domains {
    /// Subdomain of the clinic
    slug: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Add a host name; it leads to the clinic once it is verified
    Add {
        /// Host name, without port
        host: String,
        /// The clinic has proved that the name is its own
        #[arg(long)]
        verified: bool,
    },
    /// Remove a host name
    Remove {
        /// Host name
        host: String,
    },
    /// List the host names
    List,
}

#[derive(Serialize)]
struct Row {
    host: String,
    verified_at: Option<DateTime<Utc>>,
}

/// Runs the command.
pub async fn run(admin: &mut PgConnection, domains: Domains, context: &Context) -> Result<Exit> {
    let slug = &domains.slug;
    match domains.command {
        Command::List => {}
        Command::Add { host, verified } => {
            let base_domain = &context.config()?.http.base_domain;
            tenant::add_domain(admin, slug, &host, verified, base_domain).await?;
        }
        Command::Remove { host } => {
            let removed = tenant::remove_domain(admin, slug, &host).await?;
            ensure!(removed, "{host} is no host name of this tenant");
        }
    }
    let found = registry::tenant(admin, slug).await?.ok_or_else(|| UnknownTenant(slug.to_owned()))?;
    let rows = registry::domains(admin, &[found.id]).await?.into_iter();
    let rows: Vec<_> = rows.map(|row| Row { host: row.host, verified_at: row.verified_at }).collect();
    context.output.print_rows(&["host", "verified_at"], &rows)?;
    Ok(Exit::Done)
}
