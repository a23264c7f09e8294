//! What a clinic may ask for and how fast, where it differs from the settings; and what it may have, and has.
//!
//! The control schema says what a clinic may have. The clinic's own schema counts what it has, in the transactions that
//! change it, and refuses by a copy of the limit, so that nothing has to be asked elsewhere.

use praxis_platform::quota::Quota;
use serde::Serialize;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, postgres::PgConnection};

use super::{Changed, Clinic, LifeError, copy::qualified};

/// What is to be limited; what is not given stays as it was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// Which operations are taken: `OPEN`, `APQ` or `REGISTERED`.
    pub operations: Option<&'static str>,
    /// Points the whole clinic may spend at once.
    pub points: Option<i32>,
    /// Points the whole clinic gets back each second.
    pub restore: Option<i32>,
    /// Points one person may spend at once.
    pub actor_points: Option<i32>,
    /// Points one person gets back each second.
    pub actor_restore: Option<i32>,
    /// Accounts that can sign in.
    pub seats: Option<i32>,
    /// Bytes of documents and of what was imported.
    pub storage_bytes: Option<i64>,
    /// Forget what was limited before.
    pub reset: bool,
}

/// How much a clinic has of something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct Usage {
    /// Of what, such as `SEATS`.
    pub name: String,
    /// How much it has.
    pub used: i64,
    /// How much it may have; `None` for as much as there is.
    pub most: Option<i64>,
}

/// Sets a clinic's limits. A number that is smaller than what the clinic has takes nothing away.
pub async fn limit(admin: &mut PgConnection, slug: &str, limits: &Limits) -> Result<Changed, LifeError> {
    let numbers = [limits.points, limits.restore, limits.actor_points, limits.actor_restore, limits.seats];
    let too_small = numbers.into_iter().flatten().any(|number| number < 1);
    if too_small || limits.storage_bytes.is_some_and(|bytes| bytes < 1) {
        return Err(LifeError::Refused("a limit is at least 1".to_owned()));
    }
    let mut transaction = admin.begin().await?;
    let clinic = Clinic::of_slug(&mut transaction, slug).await?;
    sqlx::query(
        "UPDATE control.tenant SET
            operation_mode = coalesce($2, CASE WHEN NOT $9 THEN operation_mode END),
            rate_points = coalesce($3, CASE WHEN NOT $9 THEN rate_points END),
            rate_restore = coalesce($4, CASE WHEN NOT $9 THEN rate_restore END),
            actor_rate_points = coalesce($5, CASE WHEN NOT $9 THEN actor_rate_points END),
            actor_rate_restore = coalesce($6, CASE WHEN NOT $9 THEN actor_rate_restore END),
            max_seats = coalesce($7, CASE WHEN NOT $9 THEN max_seats END),
            max_storage_bytes = coalesce($8, CASE WHEN NOT $9 THEN max_storage_bytes END)
         WHERE id = $1",
    )
    .bind(clinic.id)
    .bind(limits.operations)
    .bind(limits.points)
    .bind(limits.restore)
    .bind(limits.actor_points)
    .bind(limits.actor_restore)
    .bind(limits.seats)
    .bind(limits.storage_bytes)
    .bind(limits.reset)
    .execute(&mut *transaction)
    .await?;
    let copied = copy_quotas(&mut transaction, &clinic).await?;
    if !copied && (limits.seats.is_some() || limits.storage_bytes.is_some()) {
        let message = "the tenant's schema does not count yet: run `praxis migrate up` first";
        return Err(LifeError::Refused(message.to_owned()));
    }
    let detail = json!({
        "operations": limits.operations,
        "points": limits.points,
        "restore": limits.restore,
        "actor_points": limits.actor_points,
        "actor_restore": limits.actor_restore,
        "seats": limits.seats,
        "storage_bytes": limits.storage_bytes,
        "reset": limits.reset,
    });
    clinic.note(&mut transaction, "LIMITS_SET", detail).await?;
    transaction.commit().await?;
    Ok(Changed { slug: clinic.slug, state: clinic.state, changed: true })
}

/// How much a clinic has, and may have; nothing where its schema does not count.
pub async fn usage(connection: &mut PgConnection, slug: &str) -> Result<Vec<Usage>, LifeError> {
    let find = "SELECT schema_name FROM control.tenant WHERE slug = $1";
    let schema: Option<String> = sqlx::query_scalar(find).bind(slug).fetch_optional(&mut *connection).await?;
    let schema = schema.ok_or_else(|| LifeError::Unknown(slug.to_owned()))?;
    if !counts(connection, &schema).await? {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT name, used, most FROM {} ORDER BY name", qualified(&schema, "quota"));
    Ok(sqlx::query_as(AssertSqlSafe(sql)).fetch_all(connection).await?)
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
