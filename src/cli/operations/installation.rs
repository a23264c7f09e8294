//! Operations of all clinics, in the control schema.

use anyhow::{Context as _, Result, ensure};
use chrono::{DateTime, Utc};
use praxis_domain::operations::{NewOperation, Registration};
use praxis_entity::{
    ids::RegisteredOperationId,
    registered_operation::{self, OperationKind, OperationStatus},
};
use praxis_platform::clock::{Clock, SystemClock};
use sqlx::{Connection, FromRow, postgres::PgConnection};
use uuid::Uuid;

use crate::cli::{Context, tenant::admin};

#[derive(FromRow)]
struct Stored {
    id: Uuid,
    document_id: String,
    sha256: String,
    name: String,
    kind: String,
    body: String,
    cost: i64,
    depth: i32,
    by_get: bool,
    created_at: DateTime<Utc>,
    retired_at: Option<DateTime<Utc>>,
}

const SELECT: &str =
    "SELECT id, document_id, sha256, name, kind, body, cost, depth, by_get, created_at, retired_at
    FROM control.registered_operation";

impl From<Stored> for registered_operation::Model {
    fn from(stored: Stored) -> Self {
        let mutation = stored.kind == "MUTATION";
        let retired = stored.retired_at.is_some();
        Self {
            id: RegisteredOperationId(stored.id),
            document_id: stored.document_id,
            sha256: stored.sha256,
            name: stored.name,
            kind: if mutation { OperationKind::Mutation } else { OperationKind::Query },
            body: stored.body,
            cost: stored.cost,
            depth: stored.depth,
            by_get: stored.by_get,
            status: if retired { OperationStatus::Retired } else { OperationStatus::Active },
            created_at: stored.created_at,
            retired_at: stored.retired_at,
        }
    }
}

/// All of them, by name.
pub async fn operations(context: &Context) -> Result<Vec<registered_operation::Model>> {
    let (mut admin, _) = admin(context).await?;
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} ORDER BY name, document_id"));
    let stored: Vec<Stored> = sqlx::query_as(sql).fetch_all(&mut admin).await?;
    Ok(stored.into_iter().map(Into::into).collect())
}

/// Registers operations, all of them or none.
pub async fn register(context: &Context, new: &[NewOperation]) -> Result<Vec<Registration>> {
    let (mut admin, _) = admin(context).await?;
    let mut transaction = admin.begin().await?;
    let mut done = Vec::with_capacity(new.len());
    for operation in new {
        done.push(register_one(&mut transaction, operation).await?);
    }
    transaction.commit().await?;
    Ok(done)
}

async fn register_one(connection: &mut PgConnection, new: &NewOperation) -> Result<Registration> {
    if let Some(stored) = find(connection, &new.document_id).await? {
        ensure!(stored.sha256 == new.sha256, "another text is registered under the id {}", new.document_id);
        if stored.retired_at.is_none() {
            return Ok(Registration::Unchanged);
        }
        let sql =
            "UPDATE control.registered_operation SET status = 'ACTIVE', retired_at = NULL WHERE id = $1";
        sqlx::query(sql).bind(stored.id).execute(connection).await?;
        return Ok(Registration::Restored);
    }
    sqlx::query(
        "INSERT INTO control.registered_operation (id, document_id, sha256, name, kind, body, cost, depth, by_get)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(SystemClock.new_id())
    .bind(&new.document_id)
    .bind(&new.sha256)
    .bind(&new.name)
    .bind(if new.kind == OperationKind::Mutation { "MUTATION" } else { "QUERY" })
    .bind(&new.body)
    .bind(new.cost)
    .bind(new.depth)
    .bind(new.by_get)
    .execute(connection)
    .await?;
    Ok(Registration::Added)
}

/// Retires operations, all of them or none.
pub async fn retire(context: &Context, ids: &[String]) -> Result<Vec<registered_operation::Model>> {
    let (mut admin, _) = admin(context).await?;
    let mut transaction = admin.begin().await?;
    let mut retired = Vec::with_capacity(ids.len());
    for id in ids {
        let sql = "UPDATE control.registered_operation SET status = 'RETIRED', retired_at = now()
            WHERE document_id = $1 AND status = 'ACTIVE'";
        sqlx::query(sql).bind(id).execute(&mut *transaction).await?;
        let stored = find(&mut transaction, id).await?;
        retired.push(stored.with_context(|| format!("there is no operation {id}"))?.into());
    }
    transaction.commit().await?;
    Ok(retired)
}

async fn find(connection: &mut PgConnection, id: &str) -> Result<Option<Stored>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE document_id = $1"));
    Ok(sqlx::query_as(sql).bind(id).fetch_optional(connection).await?)
}
