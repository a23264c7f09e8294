//! Older versions that nothing needs any more are deleted: from then on, what they opened stays shut.

use std::time::Duration;

use serde::Serialize;
use sqlx::postgres::PgConnection;

use super::{Clinic, RotationError, batch, behind, note, tenant::data_keys_behind, tenant_key};
use crate::vault::KeyWrapper;

/// What was deleted at a clinic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Retired {
    /// Versions of the clinic's key.
    pub tenant_keys: u64,
    /// Versions of data keys.
    pub data_keys: u64,
    /// Versions that stay for now: they were superseded less than `after` ago.
    pub too_young: i64,
}

/// Deletes the older versions of a clinic's keys; nothing while anything is left under one of them.
///
/// `after` is how long a server may still use a key that it was not told to forget: a version that was
/// superseded later than that stays, because something may yet be sealed with it.
pub async fn retire(
    admin: &mut PgConnection,
    clinic: &Clinic,
    wrapper: &dyn KeyWrapper,
    after: Duration,
) -> Result<Option<Retired>, RotationError> {
    let key = tenant_key(admin, clinic, wrapper).await?;
    if behind(admin, clinic).await? > 0 || data_keys_behind(admin, clinic, &key).await? > 0 {
        return Ok(None);
    }
    let seconds = after.as_secs_f64();
    let mut retired = Retired::default();
    let mut transaction = batch(admin, clinic).await?;
    retired.data_keys = sqlx::query(
        "DELETE FROM phi_key k USING phi_key n
         WHERE n.subject = k.subject AND n.version = k.version + 1
           AND n.created_at < now() - make_interval(secs => $1)
           AND EXISTS (SELECT FROM phi_key m WHERE m.subject = k.subject AND m.version > k.version)",
    )
    .bind(seconds)
    .execute(&mut *transaction)
    .await?
    .rows_affected();
    let newest = i32::try_from(key.version()).unwrap_or(i32::MAX);
    retired.tenant_keys = sqlx::query(
        "DELETE FROM control.tenant_key k WHERE k.tenant_id = $1 AND k.version < $2 AND EXISTS
             (SELECT FROM control.tenant_key n WHERE n.tenant_id = $1 AND n.version = $2
                 AND n.created_at < now() - make_interval(secs => $3))",
    )
    .bind(clinic.id)
    .bind(newest)
    .bind(seconds)
    .execute(&mut *transaction)
    .await?
    .rows_affected();
    retired.too_young = sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM phi_key k WHERE EXISTS
                    (SELECT FROM phi_key n WHERE n.subject = k.subject AND n.version > k.version))
              + (SELECT count(*) - 1 FROM control.tenant_key WHERE tenant_id = $1)",
    )
    .bind(clinic.id)
    .fetch_one(&mut *transaction)
    .await?;
    if retired.data_keys + retired.tenant_keys > 0 {
        let detail = serde_json::json!({ "dataKeys": retired.data_keys, "tenantKeys": retired.tenant_keys });
        note(&mut transaction, clinic, "KEYS_RETIRED", detail).await?;
    }
    transaction.commit().await?;
    Ok(Some(retired))
}
