//! What the control schema says of clinics.

use std::collections::HashMap;

use anyhow::Result;
use chrono::SecondsFormat;
use praxis_fleet::registry::{self, TenantFilter, TenantRecord};
use serde::Serialize;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use crate::cli::{Context, Exit, exit::UnknownTenant};

#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    record: TenantRecord,
    domains: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<Vec<String>>,
}

/// Lists all clinics.
pub async fn list(admin: &mut PgConnection, context: &Context) -> Result<Exit> {
    let records = registry::tenants(admin, &TenantFilter::default(), None, i64::MAX).await?;
    let ids: Vec<_> = records.iter().map(|record| record.id).collect();
    let mut domains: HashMap<Uuid, Vec<String>> = HashMap::new();
    for domain in registry::domains(admin, &ids).await? {
        domains.entry(domain.tenant_id).or_default().push(domain.host);
    }
    let rows = records.into_iter().map(|record| {
        let domains = domains.remove(&record.id).unwrap_or_default();
        Row { record, domains, events: None }
    });
    let rows: Vec<_> = rows.collect();
    context
        .output
        .print_rows(&["slug", "display_name", "state", "template", "schema_version", "domains"], &rows)?;
    Ok(Exit::Done)
}

/// Shows one clinic.
pub async fn show(admin: &mut PgConnection, slug: &str, context: &Context) -> Result<Exit> {
    let record = registry::tenant(admin, slug).await?;
    let record = record.ok_or_else(|| UnknownTenant(slug.to_owned()))?;
    let domains = registry::domains(admin, &[record.id]).await?.into_iter().map(|domain| domain.host);
    let domains = domains.collect();
    let of = Some(std::slice::from_ref(&record.id));
    let events = registry::events(admin, of, None, None, i64::MAX).await?.into_iter().rev();
    let events = events
        .map(|event| format!("{} {}", event.at.to_rfc3339_opts(SecondsFormat::Secs, true), event.kind))
        .collect();
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
    context.output.print_one(&columns, &Row { record, domains, events: Some(events) })?;
    Ok(Exit::Done)
}
