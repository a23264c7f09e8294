//! Long work on one clinic or on the installation, written down while it goes on.
//!
//! An operation is known by clinic, kind and a key that the caller chose: asked for again under the same key,
//! what is done is not done twice, and what failed or was killed is taken up; asked for something else under it,
//! nothing is done. Whoever works on it holds an advisory lock, which ends with the connection; a row that is
//! `RUNNING` without it was killed.
//!
//! The command line asks and works in one go ([`Work::begin`]). The control plane [asks](ask), and the
//! [executor](crate::executor) takes up what was asked for: the row holds all that it needs.

use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use sqlx::{Connection, FromRow, postgres::PgConnection};
use uuid::Uuid;

use super::LifeError;

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
    /// A clinic made.
    Provision,
    /// Schemas made ahead of need.
    PoolFill,
    /// Schemas brought forward.
    Migrate,
    /// A clinic brought to another cell.
    Move,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Export,
        Self::Restore,
        Self::Clone,
        Self::Shred,
        Self::Provision,
        Self::PoolFill,
        Self::Migrate,
        Self::Move,
    ];

    /// The kind of a stored form.
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The stored form.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Export => "EXPORT",
            Self::Restore => "RESTORE",
            Self::Clone => "CLONE",
            Self::Shred => "SHRED",
            Self::Provision => "PROVISION",
            Self::PoolFill => "POOL_FILL",
            Self::Migrate => "MIGRATE",
            Self::Move => "MOVE",
        }
    }
}

/// An operation as it stands.
#[derive(Debug, Clone, PartialEq, FromRow, Serialize)]
pub struct Operation {
    /// Its id.
    pub id: Uuid,
    /// The clinic; none for what is about the installation, and while a new one is not there yet.
    #[serde(skip)]
    pub tenant_id: Option<Uuid>,
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
    /// What was asked for, where somebody else than who asked is to do it.
    #[serde(skip)]
    pub input: Option<Value>,
    /// Who asked for it.
    pub actor: String,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it was begun last.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// Letters of a key.
const LONGEST_KEY: usize = 200;

const COLUMNS: &str = "id, tenant_id, kind, idempotency_key, state, step, progress, attempts, detail, error,
    input, actor, created_at, started_at, finished_at";

/// The operations on a clinic, or all of them, oldest first.
pub async fn list(admin: &mut PgConnection, slug: Option<&str>) -> Result<Vec<Operation>, LifeError> {
    let clinic = match slug {
        Some(slug) => {
            let found: Option<Uuid> = sqlx::query_scalar("SELECT id FROM control.tenant WHERE slug = $1")
                .bind(slug)
                .fetch_optional(&mut *admin)
                .await?;
            Some(found.ok_or_else(|| LifeError::Unknown(slug.to_owned()))?)
        }
        None => None,
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM control.operation WHERE $1::uuid IS NULL OR tenant_id = $1 ORDER BY created_at, id"
    );
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(clinic).fetch_all(admin).await?)
}

/// The operations on a clinic, oldest first.
pub(super) async fn of_clinic(admin: &mut PgConnection, clinic: Uuid) -> Result<Vec<Operation>, sqlx::Error> {
    let sql = format!("SELECT {COLUMNS} FROM control.operation WHERE tenant_id = $1 ORDER BY created_at, id");
    sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(clinic).fetch_all(admin).await
}

/// Which operations.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only this one.
    pub id: Option<Uuid>,
    /// Only of these clinics.
    pub clinics: Option<Vec<Uuid>>,
    /// Only in this state.
    pub state: Option<&'static str>,
    /// Only of this kind.
    pub kind: Option<&'static str>,
}

/// The newest operations, the newest first: so many, after one; of each clinic where clinics are named.
pub async fn newest_first(
    admin: &mut PgConnection,
    filter: &Filter,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Operation>, sqlx::Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM (
            SELECT *, CASE WHEN $2::uuid[] IS NULL THEN 0 ELSE row_number() OVER (PARTITION BY tenant_id ORDER BY id DESC) END AS place
            FROM control.operation WHERE ($1::uuid IS NULL OR id = $1) AND ($2 IS NULL OR tenant_id = ANY($2))
                AND ($3::text IS NULL OR state = $3) AND ($4::text IS NULL OR kind = $4) AND ($5::uuid IS NULL OR id < $5)
         ) AS o WHERE place <= $6 ORDER BY id DESC LIMIT CASE WHEN $2 IS NULL THEN $6 END"
    );
    sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(filter.id)
        .bind(filter.clinics.as_deref())
        .bind(filter.state)
        .bind(filter.kind)
        .bind(after)
        .bind(limit)
        .fetch_all(admin)
        .await
}

/// Asks for an operation that somebody else does. Asked for again under the same key it is the same one; where it failed,
/// it is tried again.
pub async fn ask(
    admin: &mut PgConnection,
    clinic: Option<Uuid>,
    kind: Kind,
    key: &str,
    input: &Value,
    new_id: Uuid,
) -> Result<Operation, LifeError> {
    if key.is_empty() || key.chars().count() > LONGEST_KEY {
        let why = format!("the key has 1 to {LONGEST_KEY} letters");
        return Err(LifeError::invalid("idempotencyKey", why));
    }
    let mut transaction = admin.begin().await?;
    sqlx::query(
        "INSERT INTO control.operation (id, tenant_id, kind, idempotency_key, input) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT DO NOTHING",
    )
    .bind(new_id)
    .bind(clinic)
    .bind(kind.code())
    .bind(key)
    .bind(input)
    .execute(&mut *transaction)
    .await?;
    let found = asked(&mut transaction, clinic, kind, key).await?.ok_or(LifeError::KeyUsed)?;
    // What the command line began has no input; what is done once in a clinic's life is the same by whomever.
    let is_same = found.input.as_ref() == Some(input) || kind == Kind::Shred;
    if !is_same {
        return Err(LifeError::KeyUsed);
    }
    if found.state == "DONE" {
        return Ok(found);
    }
    let sql = format!(
        "UPDATE control.operation SET input = coalesce(input, $2), error = NULL, finished_at = NULL,
            attempts = CASE WHEN state = 'FAILED' THEN 0 ELSE attempts END,
            state = CASE WHEN state = 'FAILED' THEN 'PENDING' ELSE state END
         WHERE id = $1 RETURNING {COLUMNS}"
    );
    let found = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(found.id)
        .bind(input)
        .fetch_one(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(found)
}

/// What is known under a key. That of a new clinic is found before and after it is there.
pub async fn asked(
    admin: &mut PgConnection,
    clinic: Option<Uuid>,
    kind: Kind,
    key: &str,
) -> Result<Option<Operation>, sqlx::Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM control.operation
         WHERE kind = $2 AND idempotency_key = $3 AND ($1::uuid IS NULL OR tenant_id = $1) FOR UPDATE"
    );
    sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(clinic)
        .bind(kind.code())
        .bind(key)
        .fetch_optional(admin)
        .await
}

/// Those of some kinds that wait for somebody who does them, oldest first; also such as are under way, for whoever did them may be
/// gone.
pub(crate) async fn open(
    admin: &mut PgConnection,
    kinds: &[Kind],
    limit: i64,
) -> Result<Vec<Operation>, sqlx::Error> {
    let kinds: Vec<_> = kinds.iter().map(|kind| kind.code()).collect();
    let sql = format!(
        "SELECT {COLUMNS} FROM control.operation WHERE state IN ('PENDING', 'RUNNING') AND input IS NOT NULL
            AND kind = ANY($1) ORDER BY created_at, id LIMIT $2"
    );
    sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(kinds).bind(limit).fetch_all(admin).await
}

/// Calls an operation failed that nobody works on.
pub(crate) async fn give_up(admin: &mut PgConnection, id: Uuid, error: &str) -> Result<(), sqlx::Error> {
    let sql = "UPDATE control.operation SET state = 'FAILED', error = $2, finished_at = clock_timestamp()
        WHERE id = $1 AND state IN ('PENDING', 'RUNNING')";
    sqlx::query(sql).bind(id).bind(error).execute(admin).await.map(|_| ())
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

/// The operations of a kind on a clinic that did not end and that nobody works on, and nobody takes up until the transaction
/// ends; with what each kept.
pub(super) async fn abandoned(
    transaction: &mut PgConnection,
    clinic: Uuid,
    kind: Kind,
) -> Result<Vec<(Uuid, Value)>, sqlx::Error> {
    sqlx::query_as(
        "WITH unfinished AS MATERIALIZED (
            SELECT id, detail FROM control.operation WHERE tenant_id = $1 AND kind = $2 AND state <> 'DONE')
         SELECT id, detail FROM unfinished
         WHERE pg_try_advisory_xact_lock(hashtextextended('px-operation ' || id, 0))",
    )
    .bind(clinic)
    .bind(kind.code())
    .fetch_all(transaction)
    .await
}

/// Takes the lock of an operation until the connection ends; false where somebody works on it.
pub(crate) async fn lock(connection: &mut PgConnection, id: Uuid) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtextextended('px-operation ' || $1::uuid, 0))")
        .bind(id)
        .fetch_one(connection)
        .await
}

/// What is found when an operation is asked for.
#[derive(Debug)]
pub(crate) enum Begun {
    /// It is to be done, now and by the caller.
    Now(Work),
    /// It was done before.
    Before(Box<Operation>),
}

/// An operation that the caller works on, on a connection of its own: what is written down about it can be seen
/// at once, whatever becomes of the work's own transaction.
#[derive(Debug)]
pub(crate) struct Work {
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
        let find =
            "SELECT id FROM control.operation WHERE tenant_id = $1 AND kind = $2 AND idempotency_key = $3";
        let id: Uuid = sqlx::query_scalar(find)
            .bind(tenant)
            .bind(kind.code())
            .bind(key)
            .fetch_one(&mut connection)
            .await?;
        if !lock(&mut connection, id).await? {
            return Err(LifeError::Locked);
        }
        let same =
            "UPDATE control.operation SET asked = $2 WHERE id = $1 AND asked IS NULL AND state <> 'DONE'";
        sqlx::query(same).bind(id).bind(asked).execute(&mut connection).await?;
        let same = "SELECT coalesce(asked = $2, true) FROM control.operation WHERE id = $1";
        if !sqlx::query_scalar(same).bind(id).bind(asked).fetch_one(&mut connection).await? {
            return Err(LifeError::KeyUsed);
        }
        Self::locked(connection, id).await
    }

    /// Takes an operation up. The connection holds its lock until the end.
    pub async fn take_up(mut connection: PgConnection, id: Uuid) -> Result<Begun, LifeError> {
        if !lock(&mut connection, id).await? {
            return Err(LifeError::Locked);
        }
        Self::locked(connection, id).await
    }

    async fn locked(mut connection: PgConnection, id: Uuid) -> Result<Begun, LifeError> {
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

    /// Has the executor take it up where this process is killed: the row holds all that is needed.
    pub async fn leave_to_others(&mut self, input: &Value) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE control.operation SET input = $2 WHERE id = $1 AND input IS NULL")
            .bind(self.id)
            .bind(input)
            .execute(&mut self.connection)
            .await
            .map(|_| ())
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

    /// Says whose it turned out to be, in the work's own transaction.
    pub async fn about(&self, transaction: &mut PgConnection, clinic: Uuid) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE control.operation SET tenant_id = $2 WHERE id = $1")
            .bind(self.id)
            .bind(clinic)
            .execute(transaction)
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

    /// Says what is known of it so far, at once.
    pub async fn tell(&mut self, detail: &Value) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE control.operation SET detail = $2 WHERE id = $1")
            .bind(self.id)
            .bind(detail)
            .execute(&mut self.connection)
            .await
            .map(|_| ())
    }

    /// What was kept when it was worked on before.
    pub async fn kept<T: DeserializeOwned>(&mut self) -> Result<T, LifeError> {
        self.kept_before().await?.ok_or(LifeError::Malformed("operation"))
    }

    /// The same, if anything of that form was kept.
    pub async fn kept_before<T: DeserializeOwned>(&mut self) -> Result<Option<T>, sqlx::Error> {
        let detail: Value = sqlx::query_scalar("SELECT detail FROM control.operation WHERE id = $1")
            .bind(self.id)
            .fetch_one(&mut self.connection)
            .await?;
        Ok(serde_json::from_value(detail).ok())
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
