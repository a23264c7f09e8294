//! A clinic written into a sealed file, as it is at one moment, while it goes on working.

use std::{
    fs::OpenOptions,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use data_encoding::BASE64;
use praxis_platform::{
    rotation,
    vault::{ExportKey, TenantKey},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::{Connection, postgres::PgConnection};
use tokio::io::{AsyncWriteExt, BufWriter};
use uuid::Uuid;

use super::{
    AuditHead, Clinic, Ground, Holder, LifeError, Manifest, copy,
    frames::Heading,
    manifest::{Cover, FORMAT, Head, KeptKey, SealedFor},
    operation::{Begun, Kind, Work},
    sealed_file::{Covered, SealedWriter},
};

/// Which clinic is exported, and for whom.
pub struct Exporting<'a> {
    /// Its subdomain.
    pub slug: &'a str,
    /// The file; it must not be there.
    pub to: &'a Path,
    /// Whoever can open it; without, the clinic's own installation can, for as long as the clinic's key lives.
    pub holder: Option<&'a Holder>,
    /// What the operation is known by.
    pub key: &'a str,
}

/// What came of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exported {
    /// Where it is.
    pub file: PathBuf,
    /// Whether somebody else than the installation can open it.
    pub handed_out: bool,
    /// What is in it.
    #[serde(flatten)]
    pub manifest: Manifest,
}

/// Exports a clinic. Under its own name the file is there wholly or not at all.
pub async fn export(ground: &Ground<'_>, wanted: &Exporting<'_>) -> Result<Exported, LifeError> {
    let mut admin = ground.connect().await?;
    let clinic = Clinic::of(&mut admin, wanted.slug).await?;
    if clinic.state == "SHREDDED" {
        return Err(LifeError::Refused("nothing is left of a tenant that was shredded".to_owned()));
    }
    let ledger = ground.connect().await?;
    let id = ground.clock.new_id();
    match Work::begin(ledger, clinic.id, Kind::Export, wanted.key, id).await? {
        Begun::Before(operation) => {
            serde_json::from_value(operation.detail).map_err(|_| LifeError::Malformed("operation"))
        }
        Begun::Now(mut work) => {
            let result = write_file(ground, &mut admin, &clinic, wanted, &mut work).await;
            work.end(result).await
        }
    }
}

async fn write_file(
    ground: &Ground<'_>,
    admin: &mut PgConnection,
    clinic: &Clinic,
    wanted: &Exporting<'_>,
    work: &mut Work,
) -> Result<Exported, LifeError> {
    // One of this very operation may be there: killed before it was noted as done.
    if wanted.to.exists() && !is_of(wanted.to, work.id()).await {
        return Err(LifeError::Refused(format!("{} is there already", wanted.to.display())));
    }
    let mut partial = wanted.to.as_os_str().to_owned();
    partial.push(".partial");
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
    let out = BufWriter::with_capacity(1 << 18, tokio::fs::File::from_std(file));
    let manifest = write(ground, admin, clinic, wanted.holder, out, work).await;
    if manifest.is_err() {
        drop(std::fs::remove_file(&partial));
    }
    let manifest = manifest?;
    std::fs::rename(&partial, wanted.to)?;
    let mut detail = json!({ "export": manifest.export, "rows": manifest.rows() });
    if let Some(detail) = detail.as_object_mut() {
        detail.insert("handedOut".to_owned(), wanted.holder.is_some().into());
    }
    clinic.note(admin, "EXPORTED", detail).await?;
    Ok(Exported { file: wanted.to.to_owned(), handed_out: wanted.holder.is_some(), manifest })
}

/// Whether a file is what an operation wrote.
async fn is_of(file: &Path, export: Uuid) -> bool {
    let Ok(file) = tokio::fs::File::open(file).await else { return false };
    Covered::read(file).await.is_ok_and(|file| file.cover.export == export)
}

async fn write(
    ground: &Ground<'_>,
    admin: &mut PgConnection,
    clinic: &Clinic,
    holder: Option<&Holder>,
    out: BufWriter<tokio::fs::File>,
    work: &mut Work,
) -> Result<Manifest, LifeError> {
    let mut transaction = admin.begin().await?;
    let schema = clinic.schema.as_str();
    let tables = copy::at_one_moment(&mut transaction, schema).await?;
    let stored = rotation::stored_keys(&mut transaction, &rotation_clinic(clinic)).await?;
    let tenant_key = TenantKey::unwrap(clinic.id, &stored, ground.wrapper).await?;
    let export = work.id();
    let key = ExportKey::generate(export)?;
    let (sealed_for, sealed) = match holder {
        None => (SealedFor::Clinic, key.sealed_for_clinic(&tenant_key)?),
        Some(holder) => (SealedFor::Holder, key.sealed_for_holder(holder.key(), clinic.id)?),
    };
    let cover = Cover { format: FORMAT, export, tenant: clinic.id, sealed_for, key: BASE64.encode(&sealed) };
    let mut file = SealedWriter::begin(out, &cover, &key).await?;

    let inside = key.wrapper();
    let mut keys = Vec::with_capacity(stored.len());
    for stored in &stored {
        keys.push(KeptKey::of(&KeptKey::moved(clinic.id, stored, ground.wrapper, &inside).await?));
    }
    let head = head(&mut transaction, clinic, keys).await?;
    file.head(&head).await?;
    let mut sums = Vec::with_capacity(tables.len());
    let mut rows = 0;
    for table in &tables {
        file.table(&Heading { name: table.name.clone(), columns: table.columns.clone() }).await?;
        let sum =
            copy::read(&mut transaction, schema, table, async |bytes: &[u8]| file.rows(bytes).await).await?;
        file.sum(&sum).await?;
        rows += sum.rows;
        work.at(&table.name, rows).await?;
        (ground.progress)(&table.name, rows);
        sums.push(sum);
    }
    let manifest = Manifest {
        export,
        tenant: clinic.id,
        slug: clinic.slug.clone(),
        schema_version: schema_version(&mut transaction, schema).await?,
        at: head.at,
        tables: sums,
        audit: AuditHead::of(&mut transaction, schema).await?,
    };
    file.manifest(&manifest).await?;
    let mut out = file.end().await?;
    out.flush().await?;
    out.into_inner().sync_all().await?;
    transaction.rollback().await?;
    Ok(manifest)
}

async fn head(
    transaction: &mut PgConnection,
    clinic: &Clinic,
    keys: Vec<KeptKey>,
) -> Result<Head, LifeError> {
    let (at, tenant): (_, Value) =
        sqlx::query_as("SELECT now(), to_jsonb(t) FROM control.tenant t WHERE id = $1")
            .bind(clinic.id)
            .fetch_one(&mut *transaction)
            .await?;
    let domains = sqlx::query_scalar(
        "SELECT to_jsonb(d) FROM control.tenant_domain d WHERE tenant_id = $1 ORDER BY host",
    )
    .bind(clinic.id)
    .fetch_all(&mut *transaction)
    .await?;
    let planned = sqlx::query_scalar("SELECT name FROM cell.planned WHERE tenant = $1 ORDER BY name")
        .bind(clinic.schema.as_str())
        .fetch_all(&mut *transaction)
        .await?;
    let waiting =
        sqlx::query_as("SELECT DISTINCT queue, run_at FROM cell.ready WHERE tenant = $1 ORDER BY 2")
            .bind(clinic.schema.as_str())
            .fetch_all(&mut *transaction)
            .await?;
    Ok(Head { at, tenant, domains, keys, planned, waiting })
}

/// The canary of the schema says which version it has.
async fn schema_version(connection: &mut PgConnection, schema: &str) -> Result<i32, LifeError> {
    let sql = format!("SELECT schema_version FROM {}", copy::qualified(schema, "tenant_self"));
    Ok(sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(connection).await?)
}

/// The clinic in the form that rotations take.
pub(super) fn rotation_clinic(clinic: &Clinic) -> rotation::Clinic {
    rotation::Clinic { id: clinic.id, slug: clinic.slug.clone(), schema: clinic.schema.clone() }
}

/// How many exports of a clinic others than the installation can open.
pub(super) async fn handed_out(admin: &mut PgConnection, tenant: Uuid) -> Result<i64, LifeError> {
    Ok(sqlx::query_scalar(
        "SELECT count(*) FROM control.operation
         WHERE tenant_id = $1 AND kind = 'EXPORT' AND (detail->>'handedOut')::boolean",
    )
    .bind(tenant)
    .fetch_one(admin)
    .await?)
}
