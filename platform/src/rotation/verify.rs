//! Opens what is stored, or a sample of it, and names what can't be opened.

use std::fmt::Display;

use praxis_entity::sealed_columns::{SEALED, SealedTable};
use serde::Serialize;
use sqlx::{AssertSqlSafe, postgres::PgConnection};
use uuid::Uuid;

use super::{
    Clinic, RotationError, batch, behind,
    sealed::{data_keys, rows, select},
    stored_keys,
    tenant::data_keys_behind,
};
use crate::vault::{KeyWrapper, Place, TenantKey, WrappedKey};

/// Rows read at a time.
const BATCH: usize = 1_000;

/// Something that can't be opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// The row.
    pub row: Uuid,
    /// Why.
    pub reason: String,
}

impl Fault {
    fn new(table: &str, column: &str, row: Uuid, reason: impl Display) -> Self {
        Self { table: table.to_owned(), column: column.to_owned(), row, reason: reason.to_string() }
    }

    pub(super) fn value(table: &SealedTable, column: &str, row: Uuid, reason: impl Display) -> Self {
        Self::new(table.name, column, row, reason)
    }
}

/// What was found at a clinic.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Verified {
    /// Versions of the clinic's key.
    pub tenant_keys: usize,
    /// Those that are not under the current root key.
    pub tenant_keys_behind: usize,
    /// Data keys that were opened.
    pub data_keys: usize,
    /// Data keys that are not under the newest version of the clinic's key.
    pub data_keys_behind: i64,
    /// Sealed values that were opened.
    pub values: usize,
    /// Rows with a value that is not under the newest version of its data key.
    pub rows_behind: usize,
    /// Data keys of nobody: neither a patient's nor the clinic's.
    pub orphaned_keys: i64,
    /// What can't be opened.
    pub faults: Vec<Fault>,
}

impl Verified {
    /// Whether everything is under the newest keys.
    pub fn is_current(&self) -> bool {
        self.tenant_keys_behind == 0 && self.data_keys_behind == 0 && self.rows_behind == 0
    }
}

/// Opens every key and every sealed value of a clinic, or of each table only the first `sample` rows.
pub async fn verify(
    control: &mut PgConnection,
    home: &mut PgConnection,
    clinic: &Clinic,
    wrapper: &dyn KeyWrapper,
    sample: Option<usize>,
    progress: &(dyn Fn(usize) + Send + Sync),
) -> Result<Verified, RotationError> {
    let mut found = Verified::default();
    let stored = stored_keys(control, clinic).await?;
    found.tenant_keys = stored.len();
    found.tenant_keys_behind = stored.iter().filter(|key| !wrapper.is_current(&key.wrapper)).count();
    let key = match TenantKey::unwrap(clinic.id, &stored, wrapper).await {
        Ok(key) => key,
        Err(error) => {
            found.faults.push(Fault::new("tenant_key", "wrapped", clinic.id, error));
            return Ok(found);
        }
    };
    found.data_keys_behind = data_keys_behind(home, clinic, &key).await?;
    found.rows_behind = behind(home, clinic).await?;
    found.orphaned_keys = orphans(home, clinic).await?;
    check_data_keys(home, clinic, &key, &mut found, progress).await?;
    for table in SEALED {
        check_table(home, clinic, &key, table, sample, &mut found, progress).await?;
    }
    Ok(found)
}

async fn orphans(home: &mut PgConnection, clinic: &Clinic) -> Result<i64, RotationError> {
    let sql = format!(
        "SELECT count(DISTINCT subject) FROM {0}.phi_key k
         WHERE subject <> $1 AND NOT EXISTS (SELECT FROM {0}.patient p WHERE p.id = k.subject)",
        clinic.schema
    );
    Ok(sqlx::query_scalar(AssertSqlSafe(sql)).bind(clinic.id).fetch_one(home).await?)
}

async fn check_data_keys(
    home: &mut PgConnection,
    clinic: &Clinic,
    key: &TenantKey,
    found: &mut Verified,
    progress: &(dyn Fn(usize) + Send + Sync),
) -> Result<(), RotationError> {
    let mut after = (Uuid::nil(), 0);
    loop {
        let mut transaction = batch(home, clinic).await?;
        let rows: Vec<(Uuid, i32, Vec<u8>, Vec<u8>)> = sqlx::query_as(
            "SELECT subject, version, wrapped, commitment FROM phi_key
             WHERE (subject, version) > ($1, $2) ORDER BY subject, version LIMIT $3",
        )
        .bind(after.0)
        .bind(after.1)
        .bind(i64::try_from(BATCH).unwrap_or(i64::MAX))
        .fetch_all(&mut *transaction)
        .await?;
        transaction.commit().await?;
        let Some((subject, version, ..)) = rows.last() else { return Ok(()) };
        after = (*subject, *version);
        progress(rows.len());
        for (subject, version, bytes, commitment) in rows {
            let opened = WrappedKey::stored(version, bytes, &commitment)
                .map(|wrapped| key.unwrap_data_key(subject, &wrapped).map_err(|error| error.to_string()));
            match opened {
                Some(Ok(_)) => found.data_keys += 1,
                Some(Err(reason)) => found.faults.push(Fault::new("phi_key", "wrapped", subject, reason)),
                None => found.faults.push(Fault::new("phi_key", "wrapped", subject, "malformed")),
            }
        }
    }
}

async fn check_table(
    home: &mut PgConnection,
    clinic: &Clinic,
    key: &TenantKey,
    table: &SealedTable,
    sample: Option<usize>,
    found: &mut Verified,
    progress: &(dyn Fn(usize) + Send + Sync),
) -> Result<(), RotationError> {
    let (mut after, mut left) = (Uuid::nil(), sample.unwrap_or(usize::MAX));
    while left > 0 {
        let sql = format!("{} ORDER BY t.{} LIMIT {}", select(table), table.key, left.min(BATCH));
        let mut transaction = batch(home, clinic).await?;
        let rows = rows(&mut transaction, clinic, table, &sql, after).await?;
        let keys = data_keys(&mut transaction, key, &rows).await?;
        transaction.commit().await?;
        let Some(last) = rows.last() else { break };
        after = last.key;
        left -= rows.len();
        progress(rows.len());
        for row in rows {
            let place = Place { tenant: clinic.id, table: table.bound, row: row.id, subject: row.subject };
            for ((column, class), value) in table.columns.iter().zip(row.values) {
                let Some(value) = value else { continue };
                let opened = match keys.get(&row.subject) {
                    Some(key) => key.check(&place, class, &value).map_err(|error| error.to_string()),
                    None => Err("its subject has no key that opens".to_owned()),
                };
                match opened {
                    Ok(()) => found.values += 1,
                    Err(reason) => found.faults.push(Fault::value(table, column, row.id, reason)),
                }
            }
        }
    }
    Ok(())
}
