//! Rotation of keys, without a pause for anybody: new versions first, then everything is brought under
//! them, and what nothing needs any more goes last.
//!
//! What is left to do is always read from the data themselves: a wrapped key names the key above it,
//! a ciphertext names its version. So a run that was killed is simply run again, and several may run
//! at once: rows are claimed with `FOR UPDATE SKIP LOCKED`, in short transactions of a batch each.
//! It needs two of the operator's connections, for the server's own roles can add data keys and change none: `control`
//! leads to the control schema, which holds the clinics' keys, and `home` to the cell that holds the clinic. These may be
//! the same database, and no work relies on it: what is under a key is written before the key is taken away.

mod data;
mod retire;
mod root;
mod sealed;
mod tenant;
pub mod turn;
mod verify;

pub use data::{DataRun, Introduced, finish_data_rotation, introduce_data_keys, open_data_rotation};
pub use retire::{Retired, Retiring, retire};
pub use root::{note_root, rewrap_tenant_keys, wrapped_by, wrapped_otherwise};
pub use sealed::{Resealed, behind, reseal};
pub use tenant::{Rewrapped, rewrap_data_keys, rotate_tenant_key};
pub use verify::{Fault, Verified, verify};

use sqlx::{
    AssertSqlSafe, Connection, Executor, Postgres, Transaction,
    postgres::{PgConnection, Postgres as Pg},
};
use uuid::Uuid;

use crate::{
    tenancy::SchemaName,
    vault::{GuardedKey, KeyWrapper, TenantKey, VaultError},
};

/// Why a rotation stopped.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// A key can't be had or made.
    #[error("a key cannot be used")]
    Key(#[from] VaultError),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// A row can't be what it should be.
    #[error("stored data are malformed: {table} {row}")]
    Malformed {
        /// The table.
        table: &'static str,
        /// The row.
        row: Uuid,
    },
}

/// A clinic as a rotation needs it.
#[derive(Debug, Clone)]
pub struct Clinic {
    /// Its id.
    pub id: Uuid,
    /// Its subdomain.
    pub slug: String,
    /// Its schema.
    pub schema: SchemaName,
    /// The cell that holds it.
    pub cell: String,
}

/// The clinics whose keys still matter, or the one of a slug.
pub async fn clinics(admin: &mut PgConnection, slug: Option<&str>) -> Result<Vec<Clinic>, sqlx::Error> {
    let rows: Vec<(Uuid, String, String, String)> = sqlx::query_as(
        "SELECT id, slug, schema_name, cell_id FROM control.tenant
         WHERE state <> 'SHREDDED' AND ($1::text IS NULL OR slug = $1) ORDER BY slug",
    )
    .bind(slug)
    .fetch_all(admin)
    .await?;
    let clinic = |(id, slug, schema, cell): (Uuid, String, String, String)| {
        Some(Clinic { id, slug, schema: SchemaName::stored(&schema)?, cell })
    };
    Ok(rows.into_iter().filter_map(clinic).collect())
}

/// The key of a clinic, in all its versions.
pub async fn tenant_key(
    admin: &mut PgConnection,
    clinic: &Clinic,
    wrapper: &dyn KeyWrapper,
) -> Result<TenantKey, RotationError> {
    Ok(TenantKey::unwrap(clinic.id, &stored_keys(admin, clinic).await?, wrapper).await?)
}

/// The stored versions of a clinic's key, oldest first.
pub async fn stored_keys(
    admin: &mut PgConnection,
    clinic: &Clinic,
) -> Result<Vec<GuardedKey>, RotationError> {
    let rows: Vec<(i32, Vec<u8>, String)> = sqlx::query_as(
        "SELECT version, wrapped, wrapper FROM control.tenant_key WHERE tenant_id = $1 ORDER BY version",
    )
    .bind(clinic.id)
    .fetch_all(admin)
    .await?;
    rows.into_iter()
        .map(|(version, bytes, wrapper)| {
            let malformed = |_| RotationError::Malformed { table: "tenant_key", row: clinic.id };
            Ok(GuardedKey { version: version.try_into().map_err(malformed)?, bytes, wrapper })
        })
        .collect()
}

/// Begins the transaction of one batch inside a clinic's schema.
///
/// Triggers stay silent: what a row means does not change, so its version and its time must not, and
/// nobody who is editing it may find it changed.
async fn batch<'a>(home: &'a mut PgConnection, clinic: &Clinic) -> Result<Transaction<'a, Pg>, sqlx::Error> {
    let mut transaction: Transaction<'a, Postgres> = home.begin().await?;
    let context = format!(
        "SET LOCAL search_path = {}; SET LOCAL session_replication_role = replica;
         SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = '15min'",
        clinic.schema
    );
    transaction.execute(sqlx::raw_sql(AssertSqlSafe(context))).await?;
    Ok(transaction)
}

/// Lets all servers fetch the clinic's keys anew, and notes in its history why.
async fn announce(connection: &mut PgConnection, clinic: &Clinic, kind: &str) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE control.tenant SET key_epoch = key_epoch + 1 WHERE id = $1")
        .bind(clinic.id)
        .execute(&mut *connection)
        .await?;
    note(connection, clinic, kind, serde_json::json!({})).await
}

/// Notes in the clinic's history what was done to its keys.
async fn note(
    connection: &mut PgConnection,
    clinic: &Clinic,
    kind: &str,
    detail: serde_json::Value,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO control.tenant_event (tenant_id, kind, actor, detail) VALUES ($1, $2, control.actor(), $3)",
    )
    .bind(clinic.id)
    .bind(kind)
    .bind(detail)
    .execute(connection)
    .await
    .map(|_| ())
}
