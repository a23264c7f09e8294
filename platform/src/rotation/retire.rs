//! Older versions that nothing needs any more are deleted: from then on, what they opened stays shut.
//!
//! What was restored beside a clinic is sealed under the versions of its time, and nothing brings it under newer ones. So
//! while it lies there, no version goes.

use std::time::Duration;

use serde::Serialize;
use sqlx::{Connection, postgres::PgConnection};

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

/// What became of a clinic's older versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retiring {
    /// Those that nothing needs are gone.
    Done(Retired),
    /// Something is left under one of them.
    Behind,
    /// Something lies beside the clinic, which needs those of its time.
    Beside,
}

/// Deletes the older versions of a clinic's keys; nothing while anything is left under one of them.
///
/// `after` is how long a server may still use a key that it was not told to forget: a version that was
/// superseded later than that stays, because something may yet be sealed with it.
pub async fn retire(
    control: &mut PgConnection,
    home: &mut PgConnection,
    clinic: &Clinic,
    wrapper: &dyn KeyWrapper,
    after: Duration,
) -> Result<Retiring, RotationError> {
    let key = tenant_key(control, clinic, wrapper).await?;
    if behind(home, clinic).await? > 0 || data_keys_behind(home, clinic, &key).await? > 0 {
        return Ok(Retiring::Behind);
    }
    let seconds = after.as_secs_f64();
    let mut retired = Retired::default();
    let mut transaction = control.begin().await?;
    if lies_beside(&mut transaction, home, clinic).await? {
        return Ok(Retiring::Beside);
    }
    let mut there = batch(home, clinic).await?;
    retired.data_keys = sqlx::query(
        "DELETE FROM phi_key k USING phi_key n
         WHERE n.subject = k.subject AND n.version = k.version + 1
           AND n.created_at < now() - make_interval(secs => $1)
           AND EXISTS (SELECT FROM phi_key m WHERE m.subject = k.subject AND m.version > k.version)",
    )
    .bind(seconds)
    .execute(&mut *there)
    .await?
    .rows_affected();
    let young: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM phi_key k WHERE EXISTS
            (SELECT FROM phi_key n WHERE n.subject = k.subject AND n.version > k.version)",
    )
    .fetch_one(&mut *there)
    .await?;
    // The data keys first: what a version of the clinic's key opens is gone before it.
    there.commit().await?;
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
    let versions: i64 =
        sqlx::query_scalar("SELECT count(*) - 1 FROM control.tenant_key WHERE tenant_id = $1")
            .bind(clinic.id)
            .fetch_one(&mut *transaction)
            .await?;
    retired.too_young = young + versions;
    if retired.data_keys + retired.tenant_keys > 0 {
        let detail = serde_json::json!({ "dataKeys": retired.data_keys, "tenantKeys": retired.tenant_keys });
        note(&mut transaction, clinic, "KEYS_RETIRED", detail).await?;
    }
    transaction.commit().await?;
    Ok(Retiring::Done(retired))
}

/// Whether something lies beside the clinic, be it restored or live before. Whoever puts it there waits for the end of
/// the transaction, and puts back what it needs.
async fn lies_beside(
    transaction: &mut PgConnection,
    home: &mut PgConnection,
    clinic: &Clinic,
) -> Result<bool, sqlx::Error> {
    sqlx::query("SELECT FROM control.tenant WHERE id = $1 FOR NO KEY UPDATE")
        .bind(clinic.id)
        .execute(&mut *transaction)
        .await?;
    let restored: Vec<String> = sqlx::query_scalar(
        "SELECT detail->>'schema' FROM control.operation WHERE tenant_id = $1 AND kind = 'RESTORE' AND state = 'DONE'
            AND detail->>'placed' = 'beside' AND detail ? 'schema'",
    )
    .bind(clinic.id)
    .fetch_all(transaction)
    .await?;
    let find =
        "SELECT EXISTS (SELECT FROM unnest($1::text[]) AS s (name) WHERE to_regnamespace(name) IS NOT NULL)";
    sqlx::query_scalar(find).bind(restored).fetch_one(home).await
}
