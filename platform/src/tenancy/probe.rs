//! What a Postgres server and the installation on it look like, for `praxis doctor`.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnection;

use super::{MAIN, snapshot::snapshot_version};

/// Facts about a server.
#[derive(Debug, Clone)]
pub struct ServerFacts {
    /// Such as 150004 for 15.4.
    pub version: i32,
    /// `max_locks_per_transaction`.
    pub max_locks: i32,
    /// The extension `btree_gist` is installed or can be.
    pub btree_gist: bool,
    /// The server's clock.
    pub now: DateTime<Utc>,
    /// What the installation holds; `None` when there is none.
    pub installation: Option<InstallationFacts>,
}

/// Facts about an installation.
#[derive(Debug, Clone)]
pub struct InstallationFacts {
    /// Steps of the control schema that were applied.
    pub control_version: i32,
    /// Tenants with a schema.
    pub tenants: i64,
    /// Those whose schema is older than this version's.
    pub behind: i64,
    /// Slugs of those in this database whose schema is not there, in alphabetical order.
    pub without_schema: Vec<String>,
}

/// Looks at a server with the operator's rights.
pub async fn probe(connection: &mut PgConnection) -> Result<ServerFacts, sqlx::Error> {
    let (version, max_locks, btree_gist, now, installed): (i32, i32, bool, DateTime<Utc>, bool) = sqlx::query_as(
        "SELECT current_setting('server_version_num')::int, current_setting('max_locks_per_transaction')::int,
                EXISTS (SELECT FROM pg_available_extensions WHERE name = 'btree_gist'), clock_timestamp(),
                to_regclass('control.tenant') IS NOT NULL AND to_regclass('control.migration') IS NOT NULL",
    )
    .fetch_one(&mut *connection)
    .await?;
    let installation = if installed { Some(installation(connection).await?) } else { None };
    Ok(ServerFacts { version, max_locks, btree_gist, now, installation })
}

async fn installation(connection: &mut PgConnection) -> Result<InstallationFacts, sqlx::Error> {
    let (control_version, tenants, behind, without_schema): (i32, i64, i64, Vec<String>) = sqlx::query_as(
        "SELECT (SELECT coalesce(max(version), 0) FROM control.migration), count(*),
                count(*) FILTER (WHERE schema_version < $1),
                coalesce(array_agg(slug ORDER BY slug) FILTER (WHERE cell_id = $2 AND state <> 'PROVISIONING'
                    AND to_regnamespace(schema_name) IS NULL), '{}')
         FROM control.tenant WHERE state NOT IN ('ARCHIVED', 'SHREDDED')",
    )
    .bind(snapshot_version())
    .bind(MAIN)
    .fetch_one(connection)
    .await?;
    Ok(InstallationFacts { control_version, tenants, behind, without_schema })
}
