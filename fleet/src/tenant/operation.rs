//! Long work on one clinic, written down while it goes on.
//!
//! An operation is known by clinic, kind and a key that the caller chose: asked for again under the same key,
//! what is done is not done twice, and what failed or was killed is taken up; asked for something else under it,
//! nothing is done. Whoever works on it holds an advisory lock, which ends with the connection; a row that is
//! `RUNNING` without it was killed.

use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use sqlx::{FromRow, postgres::PgConnection};
use uuid::Uuid;

use super::{Clinic, LifeError};

/// What an operation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A clinic written into a file.
    Export,
    /// A clinic brought back from a file.
    Restore,
    /// A sandbox made of a clinic.
    Clone,
    /// A clinic's keys destroyed.
    Shred,
}

impl Kind {
    /// The stored form.
    pub fn code(self) -> &'static str {
        match self {
            Self::Export => "EXPORT",
            Self::Restore => "RESTORE",
            Self::Clone => "CLONE",
            Self::Shred => "SHRED",
        }
    }
}

/// An operation as it stands.
#[derive(Debug, Clone, PartialEq, FromRow, Serialize)]
pub struct Operation {
    /// Its id.
    pub id: Uuid,
    /// The clinic.
    #[serde(skip)]
    pub tenant_id: Uuid,
    /// What it is about.
    pub kind: String,
    /// What it is known by.
    pub idempotency_key: String,
    /// `PENDING`, `RUNNING`, `DONE` or `FAILED`.
    pub state: String,
    /// What it is at.
    pub step: Option<String>,
    /// How many rows are done.
    pub progress: i64,
    /// How often it was begun.
    pub attempts: i32,
    /// What came of it.
    pub detail: Value,
    /// Why it failed.
    pub error: Option<String>,
    /// Who asked for it.
    pub actor: String,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it was begun last.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

const COLUMNS: &str = "id, tenant_id, kind, idempotency_key, state, step, progress, attempts, detail, error,
    actor, created_at, started_at, finished_at";

/// The operations on a clinic, or on all of them, oldest first.
pub async fn list(admin: &mut PgConnection, slug: Option<&str>) -> Result<Vec<Operation>, LifeError> {
    if let Some(slug) = slug {
        Clinic::of_slug(admin, slug).await?;
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM control.operation
         WHERE $1::text IS NULL OR tenant_id = (SELECT id FROM control.tenant WHERE slug = $1)
         ORDER BY created_at, id"
    );
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(slug).fetch_all(admin).await?)
}

/// The newest operation of a kind, whatever became of it.
pub(super) async fn newest(
    admin: &mut PgConnection,
    tenant: Uuid,
    kind: Kind,
) -> Result<Option<Operation>, LifeError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM control.operation WHERE tenant_id = $1 AND kind = $2
         ORDER BY created_at DESC LIMIT 1"
    );
    let query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(tenant).bind(kind.code());
    Ok(query.fetch_optional(admin).await?)
}

/// Whether somebody works on a clinic, besides on one operation. Until the end of the transaction nobody takes up what was
/// killed.
pub(super) async fn is_under_way(
    transaction: &mut PgConnection,
    tenant: Uuid,
    besides: Uuid,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "WITH running AS MATERIALIZED (SELECT id FROM control.operation WHERE tenant_id = $1 AND state = 'RUNNING' AND id <> $2)
         SELECT EXISTS (SELECT FROM running WHERE NOT pg_try_advisory_xact_lock(hashtextextended('px-operation ' || id, 0)))",
    )
    .bind(tenant)
    .bind(besides)
    .fetch_one(transaction)
    .await
}

/// What is found when an operation is asked for.
#[derive(Debug)]
pub(super) enum Begun {
    /// It is to be done, now and by the caller.
    Now(Work),
    /// It was done before.
    Before(Box<Operation>),
}

/// An operation that the caller works on, on a connection of its own: what is written down about it can be seen
/// at once, whatever becomes of the work's own transaction.
#[derive(Debug)]
pub(super) struct Work {
    connection: PgConnection,
    id: Uuid,
}

impl Work {
    /// Begins an operation, or takes it up: by a key, and with what it was asked for. The connection holds its lock until
    /// the end.
    pub async fn begin(
        mut connection: PgConnection,
        tenant: Uuid,
        kind: Kind,
        (key, asked): (&str, &Value),
        new_id: Uuid,
    ) -> Result<Begun, LifeError> {
        sqlx::query(
            "INSERT INTO control.operation (id, tenant_id, kind, idempotency_key) VALUES ($1, $2, $3, $4)
             ON CONFLICT ON CONSTRAINT operation_once DO NOTHING",
        )
        .bind(new_id)
        .bind(tenant)
        .bind(kind.code())
        .bind(key)
        .execute(&mut connection)
        .await?;
        let lock = "SELECT id, pg_try_advisory_lock(hashtextextended('px-operation ' || id, 0))
            FROM control.operation WHERE tenant_id = $1 AND kind = $2 AND idempotency_key = $3";
        let (id, locked): (Uuid, bool) =
            sqlx::query_as(lock).bind(tenant).bind(kind.code()).bind(key).fetch_one(&mut connection).await?;
        if !locked {
            return Err(LifeError::Locked);
        }
        let same =
            "UPDATE control.operation SET asked = $2 WHERE id = $1 AND asked IS NULL AND state <> 'DONE'";
        sqlx::query(same).bind(id).bind(asked).execute(&mut connection).await?;
        let same = "SELECT coalesce(asked = $2, true) FROM control.operation WHERE id = $1";
        if !sqlx::query_scalar(same).bind(id).bind(asked).fetch_one(&mut connection).await? {
            return Err(LifeError::KeyUsed);
        }
        // Read behind the lock: whoever held it may have ended it.
        let sql = format!("SELECT {COLUMNS} FROM control.operation WHERE id = $1");
        let found: Operation =
            sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(id).fetch_one(&mut connection).await?;
        if found.state == "DONE" {
            return Ok(Begun::Before(Box::new(found)));
        }
        sqlx::query(
            "UPDATE control.operation SET state = 'RUNNING', attempts = attempts + 1, progress = 0,
                started_at = now(), finished_at = NULL, error = NULL WHERE id = $1",
        )
        .bind(id)
        .execute(&mut connection)
        .await?;
        Ok(Begun::Now(Self { connection, id }))
    }

    /// What it is known by in the ledger.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Says what it is at, and how many rows are done.
    pub async fn at(&mut self, step: &str, progress: u64) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE control.operation SET step = $2, progress = $3 WHERE id = $1")
            .bind(self.id)
            .bind(step)
            .bind(i64::try_from(progress).unwrap_or(i64::MAX))
            .execute(&mut self.connection)
            .await
            .map(|_| ())
    }

    /// Keeps what came of it, in the work's own transaction; with it the operation is done where that is all.
    pub async fn keep(
        &self,
        transaction: &mut PgConnection,
        detail: &impl Serialize,
        is_done: bool,
    ) -> Result<(), LifeError> {
        sqlx::query(
            "UPDATE control.operation SET detail = $2, state = CASE WHEN $3 THEN 'DONE' ELSE state END,
                finished_at = CASE WHEN $3 THEN clock_timestamp() END WHERE id = $1",
        )
        .bind(self.id)
        .bind(sqlx::types::Json(detail))
        .bind(is_done)
        .execute(transaction)
        .await?;
        Ok(())
    }

    /// What was kept when it was worked on before.
    pub async fn kept<T: DeserializeOwned>(&mut self) -> Result<T, LifeError> {
        let detail: Value = sqlx::query_scalar("SELECT detail FROM control.operation WHERE id = $1")
            .bind(self.id)
            .fetch_one(&mut self.connection)
            .await?;
        serde_json::from_value(detail).map_err(|_| LifeError::Malformed("operation"))
    }

    /// Ends it as the work ended, and gives back what came of it.
    pub async fn end<T: Serialize>(mut self, result: Result<T, LifeError>) -> Result<T, LifeError> {
        let (detail, error) = match &result {
            Ok(detail) => (Some(sqlx::types::Json(detail)), None),
            Err(error) => (None, Some(error.to_string())),
        };
        // Not where the work's own transaction has said so already.
        let ended = sqlx::query(
            "UPDATE control.operation SET state = CASE WHEN $3::text IS NULL THEN 'DONE' ELSE 'FAILED' END,
                detail = coalesce($2, detail), error = $3, finished_at = clock_timestamp()
             WHERE id = $1 AND state = 'RUNNING'",
        )
        .bind(self.id)
        .bind(detail)
        .bind(error)
        .execute(&mut self.connection)
        .await;
        // Why the work failed says more than that the ledger could not be written.
        let value = result?;
        ended?;
        Ok(value)
    }
}
