//! What a Postgres server and the installation on it look like, for `praxis doctor`.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnection;

use super::snapshot::snapshot_version;

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
    let (control_version, tenants, behind): (i32, i64, i64) = sqlx::query_as(
        "SELECT (SELECT coalesce(max(version), 0) FROM control.migration), count(*),
                count(*) FILTER (WHERE schema_version < $1)
         FROM control.tenant WHERE state NOT IN ('ARCHIVED', 'SHREDDED')",
    )
    .bind(snapshot_version())
    .fetch_one(connection)
    .await?;
    Ok(InstallationFacts { control_version, tenants, behind })
}
