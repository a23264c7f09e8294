//! `praxis key status`.

use anyhow::Result;
use praxis_platform::{rotation, vault::TenantKey};
use serde::Serialize;
use sqlx::AssertSqlSafe;

use super::{Exit, Session};
use crate::cli::Output;

#[derive(Serialize)]
struct Row {
    tenant: String,
    versions: Vec<u32>,
    wrapper: Vec<String>,
    opens: bool,
    data_keys: i64,
    rows_behind: usize,
}

#[derive(Serialize)]
struct Status {
    wrapper: String,
    /// Root keys at hand, the current one included.
    root_keys: usize,
    tenants: Vec<Row>,
}

/// Exits with 1 when a tenant's key can't be opened.
pub(super) async fn run(session: &mut Session<'_>) -> Result<Exit> {
    let wrapper = session.keys.wrapper.clone();
    let mut tenants = Vec::new();
    for clinic in session.clinics(None).await? {
        let stored = rotation::stored_keys(&mut session.hands.control, &clinic).await?;
        let mut wrappers: Vec<String> = stored.iter().map(|key| key.wrapper.clone()).collect();
        wrappers.dedup();
        let sql = AssertSqlSafe(format!("SELECT count(*) FROM {}.phi_key", clinic.schema));
        let (_, home) = session.hands.of(&clinic).await?;
        tenants.push(Row {
            versions: stored.iter().map(|key| key.version).collect(),
            wrapper: wrappers,
            opens: TenantKey::unwrap(clinic.id, &stored, wrapper.as_ref()).await.is_ok(),
            data_keys: sqlx::query_scalar(sql).fetch_one(&mut *home).await?,
            rows_behind: rotation::behind(home, &clinic).await?,
            tenant: clinic.slug,
        });
    }
    let exit = if tenants.iter().all(|row| row.opens) { Exit::Done } else { Exit::Failed };
    let root_keys = session.keys.local.as_ref().map_or(0, |local| local.len());
    let status = Status { wrapper: wrapper.id(), root_keys, tenants };
    let output = session.context.output;
    output.print_one(&["wrapper", "root_keys"], &status)?;
    if output == Output::Table {
        let columns = ["tenant", "versions", "wrapper", "opens", "data_keys", "rows_behind"];
        output.print_rows(&columns, &status.tenants)?;
    }
    Ok(exit)
}
