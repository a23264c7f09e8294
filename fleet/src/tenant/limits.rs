//! What a clinic may ask for and how fast, where it differs from the settings; and what it may have, and has.
//!
//! The control schema says what a clinic may have. The clinic's own schema counts what it has, in the transactions that
//! change it, and refuses by a copy of the limit, so that nothing has to be asked elsewhere.

use std::time::Duration;

use praxis_platform::{
    quota::Quota,
    tenancy::{Cells, MAIN},
};
use serde::Serialize;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, postgres::PgConnection};
use tokio::time::timeout;
use uuid::Uuid;

use super::{Clinic, LifeError, Named, copy::qualified};

/// How long a further cell may take to say what its clinics have.
const PATIENCE: Duration = Duration::from_secs(5);

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
    cells: &Cells,
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
    let copied = if clinic.cell == MAIN {
        copy_quotas(&mut transaction, &clinic).await?
    } else {
        // Before the control schema says so: cut off in between, asked for again it is put right.
        cells.address(&clinic.cell)?;
        let most = may_have(&mut transaction, &clinic).await?;
        set_quotas(&mut cells.connect(&clinic.cell).await?, &clinic, most).await?
    };
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

/// How much clinics have, and may have.
#[derive(Debug, Default)]
pub struct UsageOfClinics {
    /// What they have; nothing of those whose schema does not count.
    pub rows: Vec<Usage>,
    /// Clinics whose cell could not be asked.
    pub away: Vec<Uuid>,
}

/// How much clinics have, and may have. A cell that is away or not configured takes only its own clinics along.
pub async fn usage(
    control: &mut PgConnection,
    cells: &Cells,
    clinics: &[Uuid],
) -> Result<UsageOfClinics, sqlx::Error> {
    let find = "SELECT cell_id, array_agg(id), array_agg(schema_name) FROM control.tenant
        WHERE id = ANY($1) GROUP BY cell_id ORDER BY cell_id";
    let by_cell: Vec<(String, Vec<Uuid>, Vec<String>)> =
        sqlx::query_as(find).bind(clinics).fetch_all(&mut *control).await?;
    let mut all = UsageOfClinics::default();
    for (cell, ids, schemas) in by_cell {
        let found = if cell == MAIN {
            usage_here(control, &ids, &schemas).await
        } else {
            let asked = async { usage_here(&mut cells.connect(&cell).await?, &ids, &schemas).await };
            timeout(PATIENCE, asked).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
        };
        match found {
            Ok(rows) => all.rows.extend(rows),
            Err(error) if cell == MAIN => return Err(error),
            Err(error) => {
                tracing::warn!(%cell, %error, "a cell could not be asked how much its clinics have");
                all.away.extend(ids);
            }
        }
    }
    Ok(all)
}

/// The same of the clinics of one database.
async fn usage_here(
    home: &mut PgConnection,
    clinics: &[Uuid],
    schemas: &[String],
) -> Result<Vec<Usage>, sqlx::Error> {
    let find = "SELECT id, schema_name FROM unnest($1::uuid[], $2::text[]) AS t (id, schema_name)
        WHERE to_regclass(schema_name || '.quota') IS NOT NULL";
    let counting: Vec<(Uuid, String)> =
        sqlx::query_as(find).bind(clinics).bind(schemas).fetch_all(&mut *home).await?;
    if counting.is_empty() {
        return Ok(Vec::new());
    }
    let each = counting.iter().map(|(id, schema)| {
        format!("SELECT '{id}'::uuid AS tenant_id, name, used, most FROM {}", qualified(schema, "quota"))
    });
    let sql = format!("{} ORDER BY tenant_id, name", each.collect::<Vec<_>>().join(" UNION ALL "));
    sqlx::query_as(AssertSqlSafe(sql)).persistent(false).fetch_all(home).await
}

/// Copies the limits into the clinic's schema, which is in the database of the control schema; false where that does
/// not count.
pub(super) async fn copy_quotas(connection: &mut PgConnection, clinic: &Clinic) -> Result<bool, sqlx::Error> {
    let most = may_have(connection, clinic).await?;
    set_quotas(connection, clinic, most).await
}

/// How many seats and bytes a clinic may have, as the control schema says.
pub(super) async fn may_have(
    control: &mut PgConnection,
    clinic: &Clinic,
) -> Result<(Option<i32>, Option<i64>), sqlx::Error> {
    sqlx::query_as("SELECT max_seats, max_storage_bytes FROM control.tenant WHERE id = $1")
        .bind(clinic.id)
        .fetch_one(control)
        .await
}

/// Writes the limits into the clinic's schema; false where that does not count.
pub(super) async fn set_quotas(
    home: &mut PgConnection,
    clinic: &Clinic,
    (seats, bytes): (Option<i32>, Option<i64>),
) -> Result<bool, sqlx::Error> {
    let schema = clinic.schema.as_str();
    if !counts(home, schema).await? {
        return Ok(false);
    }
    let sql = format!(
        "UPDATE {} SET most = CASE name WHEN $1 THEN $2::bigint ELSE $3 END",
        qualified(schema, "quota")
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(Quota::Seats.code())
        .bind(seats.map(i64::from))
        .bind(bytes)
        .execute(home)
        .await?;
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
