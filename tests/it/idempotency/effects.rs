//! What was done at a clinic, told by what it left behind.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use sqlx::AssertSqlSafe;

use crate::support::server::TestServer;

/// How many rows each table has and how often they were changed, and how often each act was written down.
pub type Effects = BTreeMap<String, (i64, i64)>;

/// Of the log only acts count: it also tells what was seen, and what was asked again.
pub async fn effects(server: &TestServer) -> Result<Effects> {
    let schema = server.app.directory.by_slug("northside").context("no such clinic")?.schema.to_string();
    let mut sql = server.installation.admin().await?;
    let tables = "SELECT c.relname, EXISTS (SELECT FROM pg_attribute a
            WHERE a.attrelid = c.oid AND a.attname = 'version' AND a.atttypid = 'integer'::regtype)
        FROM pg_class c WHERE c.relnamespace = $1::regnamespace AND c.relkind IN ('r', 'p')
            AND NOT c.relispartition AND c.relname NOT LIKE 'audit\\_%'";
    let tables: Vec<(String, bool)> = sqlx::query_as(tables).bind(&schema).fetch_all(&mut sql).await?;
    let mut effects = Effects::new();
    for (table, versioned) in tables {
        let changes = if versioned { "coalesce(sum(version), 0)" } else { "0::bigint" };
        let count = format!("SELECT count(*), {changes} FROM {schema}.{table}");
        effects.insert(table, sqlx::query_as(AssertSqlSafe(count)).fetch_one(&mut sql).await?);
    }
    let acts = format!(
        "SELECT concat_ws(' ', 'audit_entry', action, outcome), count(*), sum(times) FROM {schema}.audit_entry
         WHERE action NOT IN ('disclose', 'replay') GROUP BY action, outcome"
    );
    let acts: Vec<(String, i64, i64)> = sqlx::query_as(AssertSqlSafe(acts)).fetch_all(&mut sql).await?;
    effects.extend(acts.into_iter().map(|(act, count, times)| (act, (count, times))));
    Ok(effects)
}
