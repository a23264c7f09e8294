//! A new version of a clinic's key, and its data keys wrapped anew under it.

use sqlx::{Connection, postgres::PgConnection};
use uuid::Uuid;

use super::{Clinic, RotationError, announce, batch, tenant_key, turn};
use crate::vault::{KeyWrapper, TenantKey, WrappedKey};

/// Data keys wrapped anew in one transaction.
const BATCH: i64 = 500;

/// Gives the clinic's key a new version and returns it. From now on servers wrap with it.
///
/// While data keys are left under an older version, an earlier rotation is not finished: then there
/// is no new one, and nothing is returned.
pub async fn rotate_tenant_key(
    control: &mut PgConnection,
    home: &mut PgConnection,
    clinic: &Clinic,
    wrapper: &dyn KeyWrapper,
) -> Result<Option<u32>, RotationError> {
    let mut transaction = control.begin().await?;
    turn::wrapping(&mut transaction).await?;
    // One rotation of a clinic at a time finds out what the newest version is.
    sqlx::query("SELECT FROM control.tenant WHERE id = $1 FOR NO KEY UPDATE")
        .bind(clinic.id)
        .execute(&mut *transaction)
        .await?;
    let key = tenant_key(&mut transaction, clinic, wrapper).await?;
    if data_keys_behind(home, clinic, &key).await? > 0 {
        return Ok(None);
    }
    let key = key.rotated()?;
    let stored = key.wrapped(wrapper).await?;
    sqlx::query(
        "INSERT INTO control.tenant_key (tenant_id, version, wrapped, wrapper) VALUES ($1, $2, $3, $4)",
    )
    .bind(clinic.id)
    .bind(number(key.version(), clinic)?)
    .bind(stored.bytes)
    .bind(stored.wrapper)
    .execute(&mut *transaction)
    .await?;
    announce(&mut transaction, clinic, "TENANT_KEY_ROTATED").await?;
    transaction.commit().await?;
    Ok(Some(key.version()))
}

/// How many data keys are wrapped by an older version of the clinic's key.
pub(super) async fn data_keys_behind(
    home: &mut PgConnection,
    clinic: &Clinic,
    key: &TenantKey,
) -> Result<i64, RotationError> {
    let sql = format!(
        "SELECT count(*) FROM {}.phi_key WHERE substring(wrapped from 5 for 4) <> int4send($1)",
        clinic.schema
    );
    let count = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(number(key.version(), clinic)?);
    Ok(count.fetch_one(home).await?)
}

/// What wrapping anew came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rewrapped {
    /// Data keys wrapped anew.
    pub done: usize,
    /// Data keys that are left under an older version: somebody was at them.
    pub behind: usize,
}

/// Wraps all data keys that are under an older version of the clinic's key anew.
///
/// The data keys themselves stay the same: what they seal is not touched.
pub async fn rewrap_data_keys(
    control: &mut PgConnection,
    home: &mut PgConnection,
    clinic: &Clinic,
    wrapper: &dyn KeyWrapper,
    progress: &(dyn Fn(usize) + Send + Sync),
) -> Result<Rewrapped, RotationError> {
    let key = tenant_key(control, clinic, wrapper).await?;
    let mut done = 0;
    loop {
        let batch = rewrap_batch(home, clinic, &key).await?;
        if batch == 0 {
            // Rows that are locked are passed over: that none was had does not mean that none is left.
            let behind = data_keys_behind(home, clinic, &key).await?;
            return Ok(Rewrapped { done, behind: usize::try_from(behind).unwrap_or_default() });
        }
        done += batch;
        progress(batch);
    }
}

async fn rewrap_batch(
    home: &mut PgConnection,
    clinic: &Clinic,
    key: &TenantKey,
) -> Result<usize, RotationError> {
    let mut transaction = batch(home, clinic).await?;
    let rows: Vec<(Uuid, i32, Vec<u8>, Vec<u8>)> = sqlx::query_as(
        "SELECT subject, version, wrapped, commitment FROM phi_key
         WHERE substring(wrapped from 5 for 4) <> int4send($1) LIMIT $2 FOR UPDATE SKIP LOCKED",
    )
    .bind(number(key.version(), clinic)?)
    .bind(BATCH)
    .fetch_all(&mut *transaction)
    .await?;
    let (mut subjects, mut versions, mut wrapped) = (Vec::new(), Vec::new(), Vec::new());
    for (subject, version, bytes, commitment) in rows {
        let malformed = || RotationError::Malformed { table: "phi_key", row: subject };
        let stored = WrappedKey::stored(version, bytes, &commitment).ok_or_else(malformed)?;
        if let Some(anew) = key.rewrap_data_key(subject, &stored)? {
            subjects.push(subject);
            versions.push(version);
            wrapped.push(anew.bytes);
        }
    }
    let count = subjects.len();
    sqlx::query(
        "UPDATE phi_key k SET wrapped = n.wrapped
         FROM unnest($1::uuid[], $2::int[], $3::bytea[]) AS n (subject, version, wrapped)
         WHERE k.subject = n.subject AND k.version = n.version",
    )
    .bind(subjects)
    .bind(versions)
    .bind(wrapped)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(count)
}

fn number(version: u32, clinic: &Clinic) -> Result<i32, RotationError> {
    version.try_into().map_err(|_| RotationError::Malformed { table: "tenant_key", row: clinic.id })
}
