//! What an export says of itself: whose it is, what stands in it, and how much of it.

use chrono::{DateTime, Utc};
use data_encoding::{BASE64, HEXLOWER};
use praxis_platform::vault::{GuardedKey, KeyBinding, KeyWrapper};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::{LifeError, copy::qualified};

/// The form of export files that this build writes and reads.
pub(super) const FORMAT: u32 = 1;

/// What stands in the clear, so that it is known which key opens the rest.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Cover {
    /// The form.
    pub format: u32,
    /// The export.
    pub export: Uuid,
    /// The clinic.
    pub tenant: Uuid,
    /// Who can open it.
    pub sealed_for: SealedFor,
    /// The key of the export, sealed.
    pub key: String,
}

/// Who can open an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum SealedFor {
    /// Whoever has the clinic's key: its installation, until the key is destroyed.
    Clinic,
    /// Whoever has the key that was given.
    Holder,
}

/// What comes first: all that the control schema says of the clinic.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Head {
    /// The moment that the export shows.
    pub at: DateTime<Utc>,
    /// The row of the clinic.
    pub tenant: Value,
    /// Its own host names.
    pub domains: Vec<Value>,
    /// The versions of its key, wrapped by the key of the export.
    pub keys: Vec<KeptKey>,
    /// Work that waits: in which queue, and from when on.
    pub waiting: Vec<(String, DateTime<Utc>)>,
}

/// A version of the clinic's key.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct KeptKey {
    version: u32,
    wrapped: String,
    wrapper: String,
}

impl KeptKey {
    /// Takes a key from under one wrapper to under another.
    pub async fn moved(
        tenant: Uuid,
        key: &GuardedKey,
        from: &dyn KeyWrapper,
        to: &dyn KeyWrapper,
    ) -> Result<GuardedKey, LifeError> {
        let binding = KeyBinding { tenant, version: key.version };
        let plain = from.unwrap(binding, key).await?;
        Ok(to.wrap(binding, &plain).await?)
    }

    /// The form in the export.
    pub fn of(key: &GuardedKey) -> Self {
        Self { version: key.version, wrapped: BASE64.encode(&key.bytes), wrapper: key.wrapper.clone() }
    }

    /// The key as it was wrapped.
    pub fn guarded(&self) -> Result<GuardedKey, LifeError> {
        let bytes = BASE64.decode(self.wrapped.as_bytes()).map_err(|_| LifeError::Malformed("key"))?;
        Ok(GuardedKey { version: self.version, bytes, wrapper: self.wrapper.clone() })
    }
}

/// What comes last: what must be found again after a restore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// The export.
    pub export: Uuid,
    /// The clinic.
    pub tenant: Uuid,
    /// Its subdomain at the time.
    pub slug: String,
    /// Number of migrations applied to its schema.
    pub schema_version: i32,
    /// The moment that the export shows.
    pub at: DateTime<Utc>,
    /// Each table.
    pub tables: Vec<TableSum>,
    /// The end of the audit log.
    pub audit: Option<AuditHead>,
}

impl Manifest {
    /// Rows of all tables.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }
}

/// How much stands in a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSum {
    /// Its name.
    pub name: String,
    /// Its rows.
    pub rows: u64,
    /// SHA-256 of its rows in the order of their keys, as `COPY` writes them.
    pub sha256: String,
}

/// The end of a clinic's audit log, as it was signed last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHead {
    /// How many entries are in the tree.
    pub size: u64,
    /// Root of the tree, in hexadecimal.
    pub root: String,
    /// The signed note, which anyone's tools verify.
    pub note: String,
}

impl AuditHead {
    /// The newest checkpoint of a schema; nothing where none was ever signed.
    pub(super) async fn of(connection: &mut PgConnection, schema: &str) -> Result<Option<Self>, LifeError> {
        let sql =
            format!("SELECT note FROM {} ORDER BY size DESC LIMIT 1", qualified(schema, "audit_checkpoint"));
        let note: Option<String> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_optional(connection).await?;
        note.map(Self::read).transpose()
    }

    /// A note's first lines are the name of the log, its size and its root.
    fn read(note: String) -> Result<Self, LifeError> {
        let malformed = || LifeError::Malformed("audit checkpoint");
        let mut lines = note.lines().skip(1);
        let size = lines.next().and_then(|size| size.parse().ok()).ok_or_else(malformed)?;
        let root = lines.next().and_then(|root| BASE64.decode(root.as_bytes()).ok()).ok_or_else(malformed)?;
        Ok(Self { size, root: HEXLOWER.encode(&root), note })
    }
}
