//! A clinic brought back from its export: in its place where there is none, and else beside the live one.
//!
//! It comes back as itself: under its own id, which is bound into everything that is sealed and is the name of its
//! audit log. All of it is one transaction: what can't be opened, or is not what the manifest says, leaves nothing.

use std::path::Path;

use data_encoding::BASE64;
use praxis_platform::{
    rotation::{self, turn},
    tenancy::{SchemaName, connect_admin, ensure_login_role, is_slug, next_shard},
    vault::{ExportKey, TenantKey},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::{Connection, postgres::PgConnection};
use tokio::{fs::File, io::BufReader};
use uuid::Uuid;

use super::{
    Clinic, Ground, Holder, LifeError, Manifest,
    export::rotation_clinic,
    frames::Frame,
    manifest::{Cover, Head, KeptKey, SealedFor},
    operation::{Begun, Kind, Work},
    run, schema_exists,
    sealed_file::{Covered, SealedReader},
    stage,
};

/// What is brought back, and as what.
pub struct Restoring<'a> {
    /// The export.
    pub file: &'a Path,
    /// The subdomain of a clinic that is not there any more, where its own was given away meanwhile.
    pub as_slug: Option<&'a str>,
    /// Whoever the export was made for.
    pub holder: Option<&'a Holder>,
    /// What the operation is known by.
    pub key: &'a str,
}

/// Where a clinic was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placed {
    /// The installation did not know it any more.
    New,
    /// The installation knew it, and its data were gone.
    InPlace,
    /// It is there: what was restored lies beside it.
    Beside,
}

/// What came of a restore.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Restored {
    /// The subdomain of the clinic.
    pub slug: String,
    /// Where it was put.
    pub placed: Placed,
    /// The schema that was made.
    pub schema: String,
    /// What was found again.
    pub manifest: Manifest,
    /// Work that waited, for when what lies beside takes the place of the live one.
    pub waiting: Value,
}

/// Brings a clinic back, and makes sure that it is what was exported.
pub async fn restore(ground: &Ground<'_>, wanted: &Restoring<'_>) -> Result<Restored, LifeError> {
    let file = Covered::read(BufReader::with_capacity(1 << 18, File::open(wanted.file).await?)).await?;
    let mut admin = connect_admin(ground.database_url).await?;
    let tenant = file.cover.tenant;
    let clinic = Clinic::of_id(&mut admin, tenant).await?;
    if clinic.as_ref().is_some_and(|clinic| clinic.state == "SHREDDED") {
        return Err(LifeError::Refused("the tenant was shredded, and does not come back".to_owned()));
    }
    if clinic.is_some() && wanted.as_slug.is_some() {
        return Err(LifeError::Refused(
            "the tenant is there: `praxis tenant rename` changes its slug".to_owned(),
        ));
    }
    let ledger = connect_admin(ground.database_url).await?;
    let id = ground.clock.new_id();
    match Work::begin(ledger, tenant, Kind::Restore, wanted.key, id).await? {
        Begun::Before(operation) => {
            serde_json::from_value(operation.detail).map_err(|_| LifeError::Malformed("operation"))
        }
        Begun::Now(mut work) => {
            let result = read(ground, &mut admin, clinic, file, wanted, &mut work).await;
            work.end(result).await
        }
    }
}

type Input = BufReader<File>;

async fn read(
    ground: &Ground<'_>,
    admin: &mut PgConnection,
    clinic: Option<Clinic>,
    file: Covered<Input>,
    wanted: &Restoring<'_>,
    work: &mut Work,
) -> Result<Restored, LifeError> {
    let tenant = file.cover.tenant;
    let key = export_key(ground, admin, &file.cover, wanted.holder).await?;
    let mut file: SealedReader<Input> = file.open(&key)?;
    let Frame::Head(head) = file.frame().await? else { return Err(LifeError::Malformed("head")) };
    let of_row =
        |name: &str| head.tenant.get(name).and_then(Value::as_str).ok_or(LifeError::Malformed("head"));
    let version = head.tenant.get("schema_version").and_then(Value::as_i64);
    let version =
        version.and_then(|version| i32::try_from(version).ok()).ok_or(LifeError::Malformed("head"))?;
    let own = SchemaName::stored(of_row("schema_name")?).ok_or(LifeError::Malformed("head"))?;

    let placed = match &clinic {
        None => Placed::New,
        Some(clinic) if schema_exists(admin, &clinic.schema).await? => Placed::Beside,
        Some(_) => Placed::InPlace,
    };
    let slug = match (&clinic, wanted.as_slug) {
        (Some(clinic), _) => clinic.slug.clone(),
        (None, Some(slug)) => slug.to_owned(),
        (None, None) => of_row("slug")?.to_owned(),
    };
    if !is_slug(&slug) {
        return Err(LifeError::SlugInvalid);
    }
    let schema = if placed == Placed::Beside { stage::beside(work.id())? } else { own.clone() };

    let mut transaction = admin.begin().await?;
    stage::make(&mut transaction, ground.installation, &schema, &own, version).await?;
    let manifest = stage::fill(ground, &mut transaction, &schema, &mut file, work).await?;
    if manifest.tenant != tenant || manifest.schema_version != version {
        return Err(LifeError::Malformed("manifest"));
    }
    file.end().await?;
    run(&mut transaction, "RESET search_path; SET LOCAL session_replication_role = origin".to_owned())
        .await?;
    // The control rows come last: whoever changes a clinic keeps all others waiting that are changed.
    settle(ground, &mut transaction, placed, &head, &own, tenant, &slug).await?;
    keep_keys(ground, &mut transaction, &head, tenant, &key).await?;
    let waiting = json!(head.waiting);
    if placed != Placed::Beside {
        wake(&mut transaction, &own, &waiting).await?;
        plan(&mut transaction, &own, &head.planned).await?;
        finish_control_row(&mut transaction, placed, &head, tenant, version).await?;
    }
    let restored = Restored { slug, placed, schema: schema.to_string(), manifest, waiting };
    let detail = json!({ "export": restored.manifest.export, "placed": placed, "schema": restored.schema });
    sqlx::query(
        "INSERT INTO control.tenant_event (tenant_id, kind, actor, detail) VALUES ($1, 'RESTORED', session_user, $2)",
    )
    .bind(tenant)
    .bind(detail)
    .execute(&mut *transaction)
    .await?;
    work.keep(&mut transaction, &restored, true).await?;
    transaction.commit().await?;
    Ok(restored)
}

/// The key of the export, by the key that the clinic still has or by the one that was given.
async fn export_key(
    ground: &Ground<'_>,
    admin: &mut PgConnection,
    cover: &Cover,
    holder: Option<&Holder>,
) -> Result<ExportKey, LifeError> {
    let sealed = BASE64.decode(cover.key.as_bytes()).map_err(|_| LifeError::Malformed("cover"))?;
    let opened = match (cover.sealed_for, holder) {
        (SealedFor::Holder, Some(holder)) => {
            ExportKey::open_for_holder(cover.export, &sealed, holder.key(), cover.tenant)
        }
        (SealedFor::Holder, None) => {
            return Err(LifeError::Refused(
                "the export was sealed for a key file, which must be given".to_owned(),
            ));
        }
        (SealedFor::Clinic, _) => {
            let clinic = rotation::Clinic {
                id: cover.tenant,
                slug: String::new(),
                schema: stage::beside(cover.tenant)?,
            };
            let stored = rotation::stored_keys(admin, &clinic).await?;
            let key = TenantKey::unwrap(cover.tenant, &stored, ground.wrapper).await?;
            ExportKey::open_for_clinic(cover.export, &sealed, &key)
        }
    };
    opened.map_err(LifeError::Sealed)
}

/// Gives the clinic a row, a login role and its own host names, where it has none.
async fn settle(
    ground: &Ground<'_>,
    transaction: &mut PgConnection,
    placed: Placed,
    head: &Head,
    role: &SchemaName,
    tenant: Uuid,
    slug: &str,
) -> Result<(), LifeError> {
    if placed == Placed::Beside {
        return Ok(());
    }
    sqlx::query("SELECT FROM control.cell WHERE id = 'main' FOR NO KEY UPDATE")
        .execute(&mut *transaction)
        .await?;
    let known: Option<i32> = sqlx::query_scalar("SELECT login_shard FROM control.tenant WHERE id = $1")
        .bind(tenant)
        .fetch_optional(&mut *transaction)
        .await?;
    let shard = match known {
        Some(shard) => shard,
        None => {
            let shard = next_shard(transaction).await?;
            insert_row(transaction, head, tenant, slug, shard).await?;
            shard
        }
    };
    ensure_login_role(transaction, ground.installation, shard, ground.wrapper).await?;
    let (app, owner) = (ground.installation.app_role(shard), ground.installation.owner_role());
    Ok(run(transaction, format!("GRANT {role} TO {app}; GRANT {role} TO {owner}")).await?)
}

/// The row as it was, as far as the control schema still has its columns.
async fn insert_row(
    transaction: &mut PgConnection,
    head: &Head,
    tenant: Uuid,
    slug: &str,
    shard: i32,
) -> Result<(), LifeError> {
    let mut row = head.tenant.clone();
    let fields = row.as_object_mut().ok_or(LifeError::Malformed("head"))?;
    for (name, value) in [
        ("id", json!(tenant)),
        ("slug", json!(slug)),
        ("cell_id", json!("main")),
        ("login_shard", json!(shard)),
        ("state", json!("PROVISIONING")),
    ] {
        fields.insert(name.to_owned(), value);
    }
    let columns: Vec<String> = sqlx::query_scalar(
        "SELECT quote_ident(attname) FROM pg_attribute
         WHERE attrelid = 'control.tenant'::regclass AND attnum > 0 AND NOT attisdropped AND attname = ANY($1)",
    )
    .bind(fields.keys().cloned().collect::<Vec<_>>())
    .fetch_all(&mut *transaction)
    .await?;
    let columns = columns.join(", ");
    let sql = format!(
        "INSERT INTO control.tenant ({columns})
         SELECT {columns} FROM jsonb_populate_record(NULL::control.tenant, $1)"
    );
    let inserted = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(&row).execute(&mut *transaction).await;
    match inserted {
        Err(sqlx::Error::Database(error)) if error.constraint() == Some("tenant_slug_unique") => {
            return Err(LifeError::SlugTaken);
        }
        inserted => inserted?,
    };
    // A name that leads to another clinic by now stays with it.
    sqlx::query(
        "INSERT INTO control.tenant_domain (host, tenant_id, verified_at)
         SELECT d.host, $1, d.verified_at FROM jsonb_populate_recordset(NULL::control.tenant_domain, $2) d
         ON CONFLICT DO NOTHING",
    )
    .bind(tenant)
    .bind(Value::Array(head.domains.clone()))
    .execute(transaction)
    .await?;
    Ok(())
}

/// Puts back the versions of the clinic's key that are gone. Those that are there are the same.
async fn keep_keys(
    ground: &Ground<'_>,
    transaction: &mut PgConnection,
    head: &Head,
    tenant: Uuid,
    key: &ExportKey,
) -> Result<(), LifeError> {
    turn::wrapping(transaction).await?;
    let inside = key.wrapper();
    for kept in &head.keys {
        let moved = KeptKey::moved(tenant, &kept.guarded()?, &inside, ground.wrapper).await?;
        sqlx::query(
            "INSERT INTO control.tenant_key (tenant_id, version, wrapped, wrapper) VALUES ($1, $2, $3, $4)
             ON CONFLICT (tenant_id, version) DO NOTHING",
        )
        .bind(tenant)
        .bind(i32::try_from(moved.version).map_err(|_| LifeError::Malformed("key"))?)
        .bind(&moved.bytes)
        .bind(&moved.wrapper)
        .execute(&mut *transaction)
        .await?;
    }
    // Fails where they are not all versions of one and the same key.
    if let Some(clinic) = Clinic::of_id(transaction, tenant).await? {
        rotation::tenant_key(transaction, &rotation_clinic(&clinic), ground.wrapper).await?;
    }
    Ok(())
}

/// Has somebody look at the work that waited.
pub(super) async fn wake(
    transaction: &mut PgConnection,
    schema: &SchemaName,
    waiting: &Value,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO cell.ready (tenant, queue, run_at)
         SELECT $1, w->>0, (w->>1)::timestamptz FROM jsonb_array_elements($2) w",
    )
    .bind(schema.as_str())
    .bind(waiting)
    .execute(transaction)
    .await
    .map(|_| ())
}

async fn plan(
    transaction: &mut PgConnection,
    schema: &SchemaName,
    names: &[String],
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO cell.planned (tenant, name) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING",
    )
    .bind(schema.as_str())
    .bind(names)
    .execute(transaction)
    .await
    .map(|_| ())
}

/// Tells the servers, and brings a clinic that is new here to the state that it was in.
async fn finish_control_row(
    transaction: &mut PgConnection,
    placed: Placed,
    head: &Head,
    tenant: Uuid,
    version: i32,
) -> Result<(), LifeError> {
    sqlx::query("UPDATE control.tenant SET schema_version = $2, key_epoch = key_epoch + 1 WHERE id = $1")
        .bind(tenant)
        .bind(version)
        .execute(&mut *transaction)
        .await?;
    if placed == Placed::New {
        // By the legal transitions. Who had left is read only at first: to be archived is another decision.
        let way: &[&str] = match head.tenant.get("state").and_then(Value::as_str) {
            Some("PAST_DUE") => &["ACTIVE", "PAST_DUE"],
            Some("SUSPENDED") => &["ACTIVE", "SUSPENDED"],
            Some("LOCKED") => &["ACTIVE", "PAST_DUE", "LOCKED"],
            Some("OFFBOARDING" | "ARCHIVED") => &["ACTIVE", "OFFBOARDING"],
            _ => &["ACTIVE"],
        };
        for state in way {
            sqlx::query("UPDATE control.tenant SET state = $2 WHERE id = $1")
                .bind(tenant)
                .bind(state)
                .execute(&mut *transaction)
                .await?;
        }
    }
    Ok(())
}
