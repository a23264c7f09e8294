//! What a clinic may ask for and how fast, where it differs from the settings; and what it may have, and has.
//!
//! The control schema says what a clinic may have. The clinic's own schema counts what it has, in the transactions that
//! change it, and refuses by a copy of the limit, so that nothing has to be asked elsewhere.

use praxis_platform::quota::Quota;
use serde::Serialize;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, postgres::PgConnection};
use uuid::Uuid;

use super::{Clinic, LifeError, Named, copy::qualified};

/// What is to change: nothing, to what the settings say, or to a value of the clinic's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// What the settings say.
    Reset,
    /// A value of the clinic's own.
    Set(T),
}

impl<T> Change<T> {
    fn parts(self) -> (bool, Option<T>) {
        match self {
            Self::Keep => (false, None),
            Self::Reset => (true, None),
            Self::Set(value) => (true, Some(value)),
        }
    }
}

/// What a clinic may ask for and how fast, and what it may have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LimitChanges {
    /// Which operations its programs may send: `OPEN`, `APQ` or `REGISTERED`.
    pub operations: Change<&'static str>,
    /// Points the whole clinic may spend at once.
    pub points: Change<i32>,
    /// Points it gets back each second.
    pub restore: Change<i32>,
    /// Points one person may spend at once.
    pub actor_points: Change<i32>,
    /// Points they get back each second.
    pub actor_restore: Change<i32>,
    /// Accounts that can sign in.
    pub seats: Change<i32>,
    /// Bytes of documents and of what was imported.
    pub storage_bytes: Change<i64>,
}

/// Changes what a clinic may ask for and have; false where it was so already. A number that is smaller than what the clinic
/// has takes nothing away.
pub async fn set_limits<'a>(
    admin: &mut PgConnection,
    clinic: impl Into<Named<'a>>,
    changes: LimitChanges,
) -> Result<bool, LifeError> {
    let LimitChanges { operations, points, restore, actor_points, actor_restore, seats, storage_bytes } =
        changes;
    let numbers = [
        ("points", &points),
        ("restore", &restore),
        ("actorPoints", &actor_points),
        ("actorRestore", &actor_restore),
        ("seats", &seats),
    ];
    let small =
        numbers.into_iter().find_map(|(field, change)| matches!(change, Change::Set(..=0)).then_some(field));
    let small = small.or_else(|| matches!(storage_bytes, Change::Set(..=0)).then_some("storageBytes"));
    if let Some(field) = small {
        return Err(LifeError::invalid(field, "it has to be more than 0".to_owned()));
    }
    let mut transaction = admin.begin().await?;
    let clinic = Clinic::of(&mut transaction, clinic).await?;
    let (set_operations, operations) = operations.parts();
    let (set_points, points) = points.parts();
    let (set_restore, restore) = restore.parts();
    let (set_actor_points, actor_points) = actor_points.parts();
    let (set_actor_restore, actor_restore) = actor_restore.parts();
    let (set_seats, seats) = seats.parts();
    let (set_storage, storage_bytes) = storage_bytes.parts();
    let changed = sqlx::query(
        "WITH new AS (SELECT CASE WHEN $2 THEN $3 ELSE operation_mode END AS mode,
                CASE WHEN $4 THEN $5 ELSE rate_points END AS points, CASE WHEN $6 THEN $7 ELSE rate_restore END AS restore,
                CASE WHEN $8 THEN $9 ELSE actor_rate_points END AS actor_points,
                CASE WHEN $10 THEN $11 ELSE actor_rate_restore END AS actor_restore,
                CASE WHEN $12 THEN $13 ELSE max_seats END AS seats,
                CASE WHEN $14 THEN $15 ELSE max_storage_bytes END AS storage
            FROM control.tenant WHERE id = $1)
         UPDATE control.tenant SET operation_mode = new.mode, rate_points = new.points, rate_restore = new.restore,
            actor_rate_points = new.actor_points, actor_rate_restore = new.actor_restore, max_seats = new.seats,
            max_storage_bytes = new.storage
         FROM new WHERE id = $1 AND (operation_mode, rate_points, rate_restore, actor_rate_points, actor_rate_restore,
                max_seats, max_storage_bytes)
            IS DISTINCT FROM (new.mode, new.points, new.restore, new.actor_points, new.actor_restore, new.seats, new.storage)",
    )
    .bind(clinic.id)
    .bind(set_operations)
    .bind(operations)
    .bind(set_points)
    .bind(points)
    .bind(set_restore)
    .bind(restore)
    .bind(set_actor_points)
    .bind(actor_points)
    .bind(set_actor_restore)
    .bind(actor_restore)
    .bind(set_seats)
    .bind(seats)
    .bind(set_storage)
    .bind(storage_bytes)
    .execute(&mut *transaction)
    .await?;
    let changed = changed.rows_affected() == 1;
    let copied = copy_quotas(&mut transaction, &clinic).await?;
    if !copied && (seats.is_some() || storage_bytes.is_some()) {
        let message = "the tenant's schema does not count yet: run `praxis migrate up` first";
        return Err(LifeError::Refused(message.to_owned()));
    }
    if changed {
        let mut detail = serde_json::Map::new();
        for (name, is_set, value) in [
            ("operations", set_operations, json!(operations)),
            ("points", set_points, json!(points)),
            ("restore", set_restore, json!(restore)),
            ("actor_points", set_actor_points, json!(actor_points)),
            ("actor_restore", set_actor_restore, json!(actor_restore)),
            ("seats", set_seats, json!(seats)),
            ("storage_bytes", set_storage, json!(storage_bytes)),
        ] {
            if is_set {
                detail.insert(name.to_owned(), value);
            }
        }
        clinic.note(&mut transaction, "LIMITS_SET", detail.into()).await?;
    }
    transaction.commit().await?;
    Ok(changed)
}

/// How much a clinic has of something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct Usage {
    /// The clinic.
    #[serde(skip)]
    pub tenant_id: Uuid,
    /// Of what, such as `SEATS`.
    pub name: String,
    /// How much it has.
    pub used: i64,
    /// How much it may have; `None` for as much as there is.
    pub most: Option<i64>,
}

/// How much clinics have, and may have; nothing of those whose schema does not count.
pub async fn usage(connection: &mut PgConnection, clinics: &[Uuid]) -> Result<Vec<Usage>, sqlx::Error> {
    let find = "SELECT id, schema_name FROM control.tenant
         WHERE id = ANY($1) AND to_regclass(schema_name || '.quota') IS NOT NULL";
    let counting: Vec<(Uuid, String)> =
        sqlx::query_as(find).bind(clinics).fetch_all(&mut *connection).await?;
    if counting.is_empty() {
        return Ok(Vec::new());
    }
    let each = counting.iter().map(|(id, schema)| {
        format!("SELECT '{id}'::uuid AS tenant_id, name, used, most FROM {}", qualified(schema, "quota"))
    });
    let sql = format!("{} ORDER BY tenant_id, name", each.collect::<Vec<_>>().join(" UNION ALL "));
    sqlx::query_as(AssertSqlSafe(sql)).persistent(false).fetch_all(connection).await
}

/// Copies the limits into the clinic's schema; false where that does not count.
pub(super) async fn copy_quotas(connection: &mut PgConnection, clinic: &Clinic) -> Result<bool, sqlx::Error> {
    let schema = clinic.schema.as_str();
    if !counts(connection, schema).await? {
        return Ok(false);
    }
    let sql = format!(
        "UPDATE {} q SET most = CASE q.name WHEN $2 THEN t.max_seats ELSE t.max_storage_bytes END
         FROM control.tenant t WHERE t.id = $1",
        qualified(schema, "quota")
    );
    let seats = Quota::Seats.code();
    sqlx::query(AssertSqlSafe(sql)).bind(clinic.id).bind(seats).execute(connection).await?;
    Ok(true)
}

/// Counts anew what came in past the triggers.
pub(super) async fn recount(connection: &mut PgConnection, schema: &str) -> Result<(), sqlx::Error> {
    if counts(connection, schema).await? {
        let sql = format!("SELECT {}()", qualified(schema, "recount_quotas"));
        sqlx::query(AssertSqlSafe(sql)).execute(connection).await?;
    }
    Ok(())
}

async fn counts(connection: &mut PgConnection, schema: &str) -> Result<bool, sqlx::Error> {
    let table = qualified(schema, "quota");
    sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(table).fetch_one(connection).await
}
