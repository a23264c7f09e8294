//! A clinic written into a sealed file, as it is at one moment, while it goes on working.

use std::{
    fs::{self, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{self, Path, PathBuf},
};

use chrono::{DateTime, Utc};
use data_encoding::BASE64;
use praxis_platform::{
    rotation,
    tenancy::SchemaName,
    vault::{ExportKey, TenantKey},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::{Connection, postgres::PgConnection};
use tokio::io::{AsyncWriteExt, BufWriter};
use uuid::Uuid;

use super::{
    AuditHead, Clinic, Ground, Holder, LifeError, Manifest, Named, copy,
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
    let clinic = with_data(Clinic::of(&mut admin, wanted.slug).await?)?;
    let ledger = ground.connect().await?;
    let id = ground.clock.new_id();
    let asked = json!({
        "to": path::absolute(wanted.to)?.to_string_lossy(),
        "holder": wanted.holder.map(Holder::fingerprint),
    });
    match Work::begin(ledger, clinic.id, Kind::Export, (wanted.key, &asked), id).await? {
        Begun::Before(operation) => {
            // Who asks again believes that it is there.
            if !is_of(wanted.to, operation.id).await {
                let file = wanted.to.display();
                return Err(LifeError::Refused(format!(
                    "it was exported under this key before, and {file} is not that export: take another key"
                )));
            }
            serde_json::from_value(operation.detail).map_err(|_| LifeError::Malformed("operation"))
        }
        Begun::Now(mut work) => {
            let result = write_file(ground, &mut admin, clinic, wanted, &mut work).await;
            work.end(result).await
        }
    }
}

/// A clinic that has something to export.
fn with_data(clinic: Clinic) -> Result<Clinic, LifeError> {
    if clinic.state == "SHREDDED" {
        return Err(LifeError::Refused("nothing is left of a tenant that was shredded".to_owned()));
    }
    Ok(clinic)
}

async fn write_file(
    ground: &Ground<'_>,
    admin: &mut PgConnection,
    clinic: Clinic,
    wanted: &Exporting<'_>,
    work: &mut Work,
) -> Result<Exported, LifeError> {
    // Again, now that the ledger has it: a shredding that is under way is waited for, and a later one sees it there.
    let clinic = with_data(Clinic::find(admin, Named::Id(clinic.id)).await?.unwrap_or(clinic))?;
    // One of this very operation may be there: killed before it was noted as done.
    if wanted.to.exists() && !is_of(wanted.to, work.id()).await {
        return Err(is_there(wanted.to));
    }
    let partial = partial(wanted.to, work.id());
    remove(&partial)?;
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial)?;
    let handed_out = wanted.holder.is_some();
    if handed_out {
        // Before there is a byte of it: killed later, it counts all the same.
        work.keep(admin, &json!({ "handedOut": true }), false).await?;
    }
    let out = BufWriter::with_capacity(1 << 18, tokio::fs::File::from_std(file));
    let published = match write(ground, admin, &clinic, wanted.holder, out, work).await {
        Ok(manifest) => publish(&partial, wanted.to, work.id()).await.map(|()| manifest),
        Err(error) => Err(error),
    };
    let removed = remove(&partial);
    let manifest = published?;
    removed?;
    let detail = json!({ "export": manifest.export, "rows": manifest.rows(), "handedOut": handed_out });
    clinic.note(admin, "EXPORTED", detail).await?;
    Ok(Exported { file: wanted.to.to_owned(), handed_out, manifest })
}

/// Where an operation writes until all is there: no other does.
fn partial(to: &Path, operation: Uuid) -> PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(format!(".{}.partial", operation.simple()));
    PathBuf::from(name)
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Gives a file its name, which may have been taken meanwhile: a link takes nobody's place.
async fn publish(partial: &Path, to: &Path, operation: Uuid) -> Result<(), LifeError> {
    if is_of(to, operation).await {
        remove(to)?;
    }
    fs::hard_link(partial, to).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => is_there(to),
        _ => LifeError::File(error),
    })?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    Ok(fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?)
}

fn is_there(file: &Path) -> LifeError {
    LifeError::Refused(format!("{} is there already", file.display()))
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
    let schema = clinic.schema.as_str();
    // The keys are in another database than the rows, and not seen at the same moment: those of before and those of after
    // together open all that is seen in between.
    let before = rotation::stored_keys(admin, &rotation_clinic(clinic)).await?;
    let mut home = ground.home(&clinic.cell).await?;
    let mut transaction = home.begin().await?;
    let tables = copy::at_one_moment(&mut transaction, schema).await?;
    let mut stored = rotation::stored_keys(admin, &rotation_clinic(clinic)).await?;
    let gone = before.into_iter().filter(|key| !stored.iter().any(|other| other.version == key.version));
    let gone: Vec<_> = gone.collect();
    stored.extend(gone);
    stored.sort_by_key(|key| key.version);
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
    let head = head(admin, &mut transaction, clinic, keys).await?;
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
    admin: &mut PgConnection,
    transaction: &mut PgConnection,
    clinic: &Clinic,
    keys: Vec<KeptKey>,
) -> Result<Head, LifeError> {
    let at = sqlx::query_scalar("SELECT now()").fetch_one(&mut *transaction).await?;
    let tenant: Value = sqlx::query_scalar("SELECT to_jsonb(t) FROM control.tenant t WHERE id = $1")
        .bind(clinic.id)
        .fetch_one(&mut *admin)
        .await?;
    let domains = sqlx::query_scalar(
        "SELECT to_jsonb(d) FROM control.tenant_domain d WHERE tenant_id = $1 ORDER BY host",
    )
    .bind(clinic.id)
    .fetch_all(admin)
    .await?;
    let waiting = waiting(transaction, &clinic.schema).await?;
    Ok(Head { at, tenant, domains, keys, waiting })
}

/// Work that waits: in which queue, and from when on.
pub(super) async fn waiting(
    connection: &mut PgConnection,
    schema: &SchemaName,
) -> Result<Vec<(String, DateTime<Utc>)>, sqlx::Error> {
    sqlx::query_as("SELECT DISTINCT queue, run_at FROM cell.ready WHERE tenant = $1 ORDER BY 2")
        .bind(schema.as_str())
        .fetch_all(connection)
        .await
}

/// The canary of the schema says which version it has.
pub(super) async fn schema_version(connection: &mut PgConnection, schema: &str) -> Result<i32, LifeError> {
    let sql = format!("SELECT schema_version FROM {}", copy::qualified(schema, "tenant_self"));
    Ok(sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(connection).await?)
}

/// The clinic in the form that rotations take.
pub(super) fn rotation_clinic(clinic: &Clinic) -> rotation::Clinic {
    let (schema, cell) = (clinic.schema.clone(), clinic.cell.clone());
    rotation::Clinic { id: clinic.id, slug: clinic.slug.clone(), schema, cell }
}

/// How many exports of a clinic others than the installation can open: all that were begun, for who holds what was
/// written of one is not known.
pub(super) async fn handed_out(admin: &mut PgConnection, tenant: Uuid) -> Result<i64, LifeError> {
    Ok(sqlx::query_scalar(
        "SELECT count(*) FROM control.operation
         WHERE tenant_id = $1 AND kind = 'EXPORT' AND (detail->>'handedOut')::boolean",
    )
    .bind(tenant)
    .fetch_one(admin)
    .await?)
}
