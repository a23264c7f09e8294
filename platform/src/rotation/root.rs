//! Under another root key, or another key service: the wrapping of what is right below it.

use sqlx::{Connection, postgres::PgConnection};
use uuid::Uuid;

use super::RotationError;
use crate::vault::{GuardedKey, InstallationKey, KeyBinding, KeyWrapper};

/// Keys wrapped anew in one transaction; each may cost two calls to a key service.
const BATCH: i64 = 10;

/// How many keys are not under the current root key: those of clinics, and the installation's own.
pub async fn wrapped_otherwise(
    admin: &mut PgConnection,
    wrapper: &dyn KeyWrapper,
) -> Result<usize, sqlx::Error> {
    let by: Vec<String> = sqlx::query_scalar(
        "SELECT wrapper FROM control.tenant_key UNION ALL SELECT wrapper FROM control.installation_key",
    )
    .fetch_all(admin)
    .await?;
    Ok(by.iter().filter(|by| !wrapper.is_current(by)).count())
}

/// Wraps every key that is not under the current root key anew, and says how many.
///
/// The keys themselves stay the same, so no server has to fetch them again.
pub async fn rewrap_tenant_keys(
    admin: &mut PgConnection,
    wrapper: &dyn KeyWrapper,
    progress: &(dyn Fn(usize) + Send + Sync),
) -> Result<usize, RotationError> {
    let mut done = rewrap_installation_key(admin, wrapper).await?;
    progress(done);
    loop {
        let batch = rewrap_batch(admin, wrapper).await?;
        if batch == 0 {
            return Ok(done);
        }
        done += batch;
        progress(batch);
    }
}

async fn rewrap_installation_key(
    admin: &mut PgConnection,
    wrapper: &dyn KeyWrapper,
) -> Result<usize, RotationError> {
    let mut transaction = admin.begin().await?;
    let stored: Option<(Vec<u8>, String)> =
        sqlx::query_as("SELECT wrapped, wrapper FROM control.installation_key FOR UPDATE SKIP LOCKED")
            .fetch_optional(&mut *transaction)
            .await?;
    let Some((wrapped, by)) = stored.filter(|(_, by)| !wrapper.is_current(by)) else { return Ok(0) };
    let key = InstallationKey::unwrap(wrapped, by, wrapper).await?.wrapped(wrapper).await?;
    sqlx::query("UPDATE control.installation_key SET wrapped = $1, wrapper = $2")
        .bind(key.bytes)
        .bind(key.wrapper)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(1)
}

async fn rewrap_batch(admin: &mut PgConnection, wrapper: &dyn KeyWrapper) -> Result<usize, RotationError> {
    let by: Vec<String> =
        sqlx::query_scalar("SELECT DISTINCT wrapper FROM control.tenant_key").fetch_all(&mut *admin).await?;
    let other: Vec<String> = by.into_iter().filter(|by| !wrapper.is_current(by)).collect();
    let mut transaction = admin.begin().await?;
    let rows: Vec<(Uuid, i32, Vec<u8>, String)> = sqlx::query_as(
        "SELECT tenant_id, version, wrapped, wrapper FROM control.tenant_key WHERE wrapper = ANY($1)
         ORDER BY tenant_id, version LIMIT $2 FOR UPDATE SKIP LOCKED",
    )
    .bind(other)
    .bind(BATCH)
    .fetch_all(&mut *transaction)
    .await?;
    let count = rows.len();
    for (tenant, number, bytes, by) in rows {
        let malformed = |_| RotationError::Malformed { table: "tenant_key", row: tenant };
        let version = number.try_into().map_err(malformed)?;
        let binding = KeyBinding { tenant, version };
        let stored = GuardedKey { version, bytes, wrapper: by };
        let anew = wrapper.wrap(binding, &wrapper.unwrap(binding, &stored).await?).await?;
        sqlx::query(
            "UPDATE control.tenant_key SET wrapped = $1, wrapper = $2 WHERE tenant_id = $3 AND version = $4",
        )
        .bind(anew.bytes)
        .bind(anew.wrapper)
        .bind(tenant)
        .bind(number)
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await?;
    Ok(count)
}
