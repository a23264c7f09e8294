//! Which steps from status to status the database refuses, tried one by one.

#![expect(clippy::unwrap_used, reason = "a test that meets something else fails here")]

use std::collections::BTreeSet;

use anyhow::Result;
use sqlx::{AssertSqlSafe, Executor, postgres::PgConnection};

use super::server::TestServer;

/// The steps, as `FROM TO`, that a table with one row refuses to the server's own role with `PX001`.
///
/// Any other error, and a step that changes nothing, fail the test.
pub async fn refused_steps(
    server: &TestServer,
    runtime: &mut PgConnection,
    table: &str,
    statuses: &[&str],
) -> Result<BTreeSet<String>> {
    let schema: String = sqlx::query_scalar("SELECT current_schema()").fetch_one(&mut *runtime).await?;
    let mut admin = server.installation.admin().await?;
    let mut refused = BTreeSet::new();
    for from in statuses {
        for to in statuses.iter().filter(|to| *to != from) {
            // Only a superuser can put the row into a status at will.
            let put = format!(
                "SET session_replication_role = replica; UPDATE {schema}.{table} SET status = '{from}'"
            );
            admin.execute(sqlx::raw_sql(AssertSqlSafe(put))).await?;
            let step = format!("UPDATE {table} SET status = '{to}'");
            match runtime.execute(AssertSqlSafe(step)).await {
                Ok(done) => assert_eq!(done.rows_affected(), 1, "{from} {to}"),
                Err(error) => {
                    let code = error.as_database_error().unwrap().code().map(|code| code.into_owned());
                    assert_eq!(code.as_deref(), Some("PX001"), "{from} {to}: {error}");
                    refused.insert(format!("{from} {to}"));
                }
            }
        }
    }
    Ok(refused)
}
