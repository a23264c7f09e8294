//! `praxis tenant domains`: host names that lead to a clinic besides its subdomain.

use anyhow::{Result, bail, ensure};
use chrono::{DateTime, Utc};
use clap::Subcommand;
use praxis_platform::tenancy::Host;
use serde::Serialize;
use sqlx::{Connection, FromRow, postgres::PgConnection};
use uuid::Uuid;

use super::records::event;
use crate::cli::{Context, Exit};

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

#[derive(FromRow, Serialize)]
struct Row {
    host: String,
    verified_at: Option<DateTime<Utc>>,
}

/// Runs the command.
pub async fn run(admin: &mut PgConnection, domains: Domains, context: &Context) -> Result<Exit> {
    let slug = domains.slug;
    let found: Option<Uuid> =
        sqlx::query_scalar("SELECT id FROM control.tenant WHERE slug = $1").bind(&slug).fetch_optional(&mut *admin).await?;
    let Some(tenant) = found else { bail!("there is no tenant \"{slug}\"") };
    match domains.command {
        Command::List => {}
        Command::Add { host, verified } => add(admin, tenant, &host, verified, &context.config()?.http.base_domain).await?,
        Command::Remove { host } => remove(admin, tenant, &host).await?,
    }
    let rows: Vec<Row> = sqlx::query_as("SELECT host, verified_at FROM control.tenant_domain WHERE tenant_id = $1 ORDER BY host")
        .bind(tenant)
        .fetch_all(admin)
        .await?;
    context.output.print_rows(&["host", "verified_at"], &rows)?;
    Ok(Exit::Done)
}

async fn add(admin: &mut PgConnection, tenant: Uuid, host: &str, verified: bool, base_domain: &str) -> Result<()> {
    let name = Host::parse(host).filter(|name| name.as_str() == host.to_ascii_lowercase());
    let Some(name) = name else { bail!("\"{host}\" is no host name") };
    let name = name.as_str();
    // A domain comes before subdomains: this one would take another clinic's place.
    let below_base = name == base_domain || name.strip_suffix(base_domain).is_some_and(|rest| rest.ends_with('.'));
    ensure!(!below_base, "{name} lies below the base domain {base_domain}, whose names follow from the slugs");
    let mut transaction = admin.begin().await?;
    let changed = sqlx::query(
        "INSERT INTO control.tenant_domain (host, tenant_id, verified_at) VALUES ($1, $2, CASE WHEN $3 THEN now() END)
         ON CONFLICT (host) DO UPDATE SET verified_at = coalesce(tenant_domain.verified_at, excluded.verified_at)
             WHERE tenant_domain.tenant_id = excluded.tenant_id",
    )
    .bind(name)
    .bind(tenant)
    .bind(verified)
    .execute(&mut *transaction)
    .await?;
    ensure!(changed.rows_affected() == 1, "{name} belongs to another tenant");
    event(&mut transaction, tenant, "DOMAIN_ADDED", serde_json::json!({ "host": name, "verified": verified })).await?;
    Ok(transaction.commit().await?)
}

async fn remove(admin: &mut PgConnection, tenant: Uuid, host: &str) -> Result<()> {
    let mut transaction = admin.begin().await?;
    let changed = sqlx::query("DELETE FROM control.tenant_domain WHERE tenant_id = $1 AND host = lower($2)")
        .bind(tenant)
        .bind(host)
        .execute(&mut *transaction)
        .await?;
    ensure!(changed.rows_affected() == 1, "{host} is no host name of this tenant");
    event(&mut transaction, tenant, "DOMAIN_REMOVED", serde_json::json!({ "host": host })).await?;
    Ok(transaction.commit().await?)
}
