//! `praxis key`: which keys there are, and whether they can be used. Never a key itself.

use anyhow::Result;
use clap::Subcommand;
use praxis_platform::{
    tenancy::SchemaName,
    vault::{KeyWrapper, TenantKey},
};
use serde::Serialize;
use sqlx::{AssertSqlSafe, FromRow, postgres::PgConnection};
use uuid::Uuid;

use super::{Context, Exit, Output, tenant::admin};
use crate::root_key;

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the root key's name, and for each tenant its key versions and number of data keys
    Status,
}

#[derive(FromRow)]
struct Stored {
    id: Uuid,
    slug: String,
    schema_name: String,
    version: i32,
    wrapped: Vec<u8>,
    wrapper: String,
}

#[derive(Serialize)]
struct Row {
    tenant: String,
    version: i32,
    wrapper: String,
    opens: bool,
    data_keys: i64,
}

#[derive(Serialize)]
struct Status {
    wrapper: String,
    tenants: Vec<Row>,
}

/// Runs the command. Exits with 1 when a tenant's key can't be opened.
pub async fn run(args: Args, context: &Context) -> Result<Exit> {
    let Command::Status = args.command;
    let (mut admin, _) = admin(context).await?;
    let keys = root_key::find(&context.config()?.keys, &mut admin).await?;
    let stored: Vec<Stored> = sqlx::query_as(
        "SELECT t.id, t.slug, t.schema_name, k.version, k.wrapped, k.wrapper
         FROM control.tenant t JOIN control.tenant_key k ON k.tenant_id = t.id
         WHERE t.state <> 'SHREDDED' ORDER BY t.slug, k.version",
    )
    .fetch_all(&mut admin)
    .await?;
    let mut tenants = Vec::with_capacity(stored.len());
    for key in stored {
        let version = u32::try_from(key.version)?;
        let opens = TenantKey::unwrap(key.id, version, &key.wrapped, keys.as_ref()).await.is_ok();
        let data_keys = data_keys(&mut admin, &key.schema_name).await?;
        tenants.push(Row { tenant: key.slug, version: key.version, wrapper: key.wrapper, opens, data_keys });
    }
    let exit = if tenants.iter().all(|row| row.opens) { Exit::Done } else { Exit::Failed };
    let status = Status { wrapper: keys.id().to_owned(), tenants };
    if context.output == Output::Table {
        context.output.print_one(&["wrapper"], &status)?;
        context
            .output
            .print_rows(&["tenant", "version", "wrapper", "opens", "data_keys"], &status.tenants)?;
    } else {
        context.output.print_one(&[], &status)?;
    }
    Ok(exit)
}

async fn data_keys(admin: &mut PgConnection, schema: &str) -> Result<i64> {
    let Some(schema) = SchemaName::stored(schema) else { return Ok(0) };
    let sql = AssertSqlSafe(format!("SELECT count(*) FROM {schema}.phi_key"));
    Ok(sqlx::query_scalar(sql).fetch_one(admin).await?)
}
