//! A run that gives every subject of a clinic a new version of its data key.
//!
//! The run is a row of `key_rotation`: a subject whose newest key is older than the run needs a new
//! one. Whoever comes while a run is open joins it, so a run that was killed goes on where it was.

use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, postgres::PgConnection};
use uuid::Uuid;

use super::{Clinic, RotationError, announce, batch, note, tenant_key};
use crate::vault::{KeyWrapper, TenantKey, WrappedKey};

/// Subjects that get their new version in one transaction.
const BATCH: i64 = 500;

/// A run that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataRun {
    /// Keys older than this get a new version.
    pub began: DateTime<Utc>,
    /// It was open already: keys made since then it leaves as they are.
    pub joined: bool,
}

/// What a run came to so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Introduced {
    /// Subjects that got a new version.
    pub made: usize,
    /// Subjects that are left without one: somebody was at them.
    pub left: usize,
}

/// Opens a run, or joins the one that is open.
pub async fn open_data_rotation(
    home: &mut PgConnection,
    clinic: &Clinic,
    id: Uuid,
) -> Result<DataRun, RotationError> {
    let mut transaction = batch(home, clinic).await?;
    sqlx::query("INSERT INTO key_rotation (id) VALUES ($1) ON CONFLICT DO NOTHING")
        .bind(id)
        .execute(&mut *transaction)
        .await?;
    let (open, began): (Uuid, DateTime<Utc>) =
        sqlx::query_as("SELECT id, started_at FROM key_rotation WHERE finished_at IS NULL")
            .fetch_one(&mut *transaction)
            .await?;
    transaction.commit().await?;
    Ok(DataRun { began, joined: open != id })
}

/// Closes the run.
pub async fn finish_data_rotation(
    control: &mut PgConnection,
    home: &mut PgConnection,
    clinic: &Clinic,
    resealed: usize,
) -> Result<(), RotationError> {
    let mut transaction = batch(home, clinic).await?;
    sqlx::query("UPDATE key_rotation SET finished_at = now() WHERE finished_at IS NULL")
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(note(control, clinic, "DATA_KEYS_ROTATED", serde_json::json!({ "rows": resealed })).await?)
}

/// Gives every subject whose newest data key is older than the run a new version.
///
/// Servers learn of it, and seal with the new versions from then on. They open both.
pub async fn introduce_data_keys(
    control: &mut PgConnection,
    home: &mut PgConnection,
    clinic: &Clinic,
    wrapper: &dyn KeyWrapper,
    run: DataRun,
    progress: &(dyn Fn(usize) + Send + Sync),
) -> Result<Introduced, RotationError> {
    let key = tenant_key(control, clinic, wrapper).await?;
    let mut made = 0;
    loop {
        let batch = introduce_batch(home, clinic, &key, run.began).await?;
        if batch == 0 {
            break;
        }
        made += batch;
        progress(batch);
    }
    announce(control, clinic, "DATA_KEYS_INTRODUCED").await?;
    Ok(Introduced { made, left: without(home, clinic, run.began).await? })
}

/// How many subjects have no key as new as the run: locked rows are passed over.
async fn without(
    home: &mut PgConnection,
    clinic: &Clinic,
    run: DateTime<Utc>,
) -> Result<usize, RotationError> {
    let sql = format!(
        "SELECT count(*) FROM (SELECT FROM {}.phi_key GROUP BY subject HAVING max(created_at) < $1) AS older",
        clinic.schema
    );
    let left: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).bind(run).fetch_one(home).await?;
    Ok(usize::try_from(left).unwrap_or_default())
}

async fn introduce_batch(
    home: &mut PgConnection,
    clinic: &Clinic,
    key: &TenantKey,
    run: DateTime<Utc>,
) -> Result<usize, RotationError> {
    let mut transaction = batch(home, clinic).await?;
    let rows: Vec<(Uuid, i32, Vec<u8>, Vec<u8>)> = sqlx::query_as(
        "SELECT k.subject, k.version, k.wrapped, k.commitment FROM phi_key k
         WHERE k.created_at < $1
           AND NOT EXISTS (SELECT FROM phi_key n WHERE n.subject = k.subject AND n.version > k.version)
         LIMIT $2 FOR UPDATE OF k SKIP LOCKED",
    )
    .bind(run)
    .bind(BATCH)
    .fetch_all(&mut *transaction)
    .await?;
    let count = rows.len();
    let (mut subjects, mut versions, mut wrapped, mut commitments) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (subject, version, bytes, commitment) in rows {
        let malformed = || RotationError::Malformed { table: "phi_key", row: subject };
        let stored = WrappedKey::stored(version, bytes, &commitment).ok_or_else(malformed)?;
        let next = key.wrap_data_key(&key.unwrap_data_key(subject, &stored)?.rotated()?)?;
        subjects.push(subject);
        versions.push(version.checked_add(1).ok_or_else(malformed)?);
        wrapped.push(next.bytes);
        commitments.push(next.commitment.to_vec());
    }
    // Another runner may have been faster; the version that it made counts.
    sqlx::query(
        "INSERT INTO phi_key (subject, version, wrapped, commitment)
         SELECT * FROM unnest($1::uuid[], $2::int[], $3::bytea[], $4::bytea[]) ON CONFLICT DO NOTHING",
    )
    .bind(subjects)
    .bind(versions)
    .bind(wrapped)
    .bind(commitments)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(count)
}
