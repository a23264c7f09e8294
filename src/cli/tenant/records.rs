//! What the control schema says of clinics.

use anyhow::{Result, bail};
use chrono::{DateTime, Utc};
use praxis_entity::ids::TenantId;
use serde::Serialize;
use sqlx::{FromRow, postgres::PgConnection};
use uuid::Uuid;

use crate::cli::{Context, Exit};

const SELECT: &str =
    "SELECT t.id, slug, display_name, state, state_since, legal_hold_reason, offboard_after, locale, time_zone, template, template_version,
        cell_id, schema_version, created_at, operation_mode, rate_points, rate_restore, actor_rate_points,
        actor_rate_restore, max_seats, max_storage_bytes,
        array(SELECT host FROM control.tenant_domain d WHERE d.tenant_id = t.id ORDER BY host) AS domains
    FROM control.tenant t";

#[derive(FromRow, Serialize)]
struct Record {
    #[serde(serialize_with = "public_id")]
    id: Uuid,
    slug: String,
    display_name: String,
    state: String,
    state_since: DateTime<Utc>,
    legal_hold_reason: Option<String>,
    offboard_after: Option<DateTime<Utc>>,
    locale: String,
    time_zone: String,
    template: String,
    template_version: String,
    cell_id: String,
    schema_version: i32,
    created_at: DateTime<Utc>,
    operation_mode: Option<String>,
    rate_points: Option<i32>,
    rate_restore: Option<i32>,
    actor_rate_points: Option<i32>,
    actor_rate_restore: Option<i32>,
    max_seats: Option<i32>,
    max_storage_bytes: Option<i64>,
    domains: Vec<String>,
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    record: Record,
    events: Vec<String>,
}

fn public_id<S: serde::Serializer>(id: &Uuid, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&TenantId(*id))
}

/// Lists all clinics.
pub async fn list(admin: &mut PgConnection, context: &Context) -> Result<Exit> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} ORDER BY slug"));
    let rows: Vec<Record> = sqlx::query_as(sql).fetch_all(admin).await?;
    context
        .output
        .print_rows(&["slug", "display_name", "state", "template", "schema_version", "domains"], &rows)?;
    Ok(Exit::Done)
}

/// Shows one clinic.
pub async fn show(admin: &mut PgConnection, slug: &str, context: &Context) -> Result<Exit> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE slug = $1"));
    let Some(record) = sqlx::query_as::<_, Record>(sql).bind(slug).fetch_optional(&mut *admin).await? else {
        bail!("there is no tenant \"{slug}\"");
    };
    let events = sqlx::query_scalar(
        "SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') || ' ' || kind
         FROM control.tenant_event WHERE tenant_id = $1 ORDER BY id",
    )
    .bind(record.id)
    .fetch_all(admin)
    .await?;
    let columns = [
        "id",
        "slug",
        "display_name",
        "state",
        "state_since",
        "legal_hold_reason",
        "offboard_after",
        "locale",
        "time_zone",
        "template",
        "template_version",
        "cell_id",
        "schema_version",
        "created_at",
        "operation_mode",
        "rate_points",
        "rate_restore",
        "actor_rate_points",
        "actor_rate_restore",
        "max_seats",
        "max_storage_bytes",
        "domains",
        "events",
    ];
    context.output.print_one(&columns, &Shown { record, events })?;
    Ok(Exit::Done)
}

/// Writes down what an operator did to a clinic.
pub async fn event(
    connection: &mut PgConnection,
    tenant: Uuid,
    kind: &str,
    detail: serde_json::Value,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO control.tenant_event (tenant_id, kind, actor, detail) VALUES ($1, $2, session_user, $3)",
    )
    .bind(tenant)
    .bind(kind)
    .bind(detail)
    .execute(connection)
    .await?;
    Ok(())
}
