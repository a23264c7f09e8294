//! `praxis tenant operations`.

use anyhow::Result;
use praxis_entity::ids::TenantId;
use praxis_fleet::tenant::{Operation, operation};
use serde::Serialize;
use sqlx::postgres::PgConnection;

use crate::cli::{Context, Exit};

#[derive(Serialize)]
struct Row {
    tenant: Option<String>,
    #[serde(flatten)]
    operation: Operation,
}

/// Lists the operations on a clinic, or on all.
pub(super) async fn run(admin: &mut PgConnection, slug: Option<&str>, context: &Context) -> Result<Exit> {
    let rows: Vec<_> = operation::list(admin, slug)
        .await?
        .into_iter()
        .map(|operation| Row { tenant: operation.tenant_id.map(|id| TenantId(id).to_string()), operation })
        .collect();
    let columns = [
        "tenant",
        "kind",
        "idempotency_key",
        "state",
        "step",
        "progress",
        "attempts",
        "started_at",
        "finished_at",
        "error",
    ];
    context.output.print_rows(&columns, &rows)?;
    Ok(Exit::Done)
}
