//! A clinic brought back from its export: in its place where there is none, and else beside the live one.
//!
//! It comes back as itself: under its own id, which is bound into everything that is sealed and is the name of its
//! audit log. All of it is one transaction: what can't be opened, or is not what the manifest says, leaves nothing.

use std::path::Path;

use data_encoding::BASE64;
use praxis_platform::{
    rotation,
    tenancy::{MAIN, is_slug},
    vault::{ExportKey, TenantKey},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::{Connection, postgres::PgConnection};
use tokio::{fs::File, io::BufReader};

use super::{
    Clinic, Ground, Holder, LifeError, Manifest, Named, control_rows,
    frames::Frame,
    manifest::{Cover, SealedFor},
    note,
    operation::{Begun, Kind, Work},
    run, schema_exists,
    sealed_file::{Covered, SealedReader},
    stage,
    swap::{lying_beside, something_lies_beside},
};

/// What is brought back, and as what.
pub struct Restoring<'a> {
    /// The export.
    pub file: &'a Path,
    /// The subdomain of a clinic that is not there any more, where its own was given away meanwhile.
    pub as_slug: Option<&'a str>,
    /// Whoever the export was made for.
    pub holder: Option<&'a Holder>,
    /// The domain below which nobody has host names of their own.
    pub base_domain: &'a str,
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
    /// Versions of the clinic's key that had been retired since, and are there again.
    #[serde(default)]
    pub keys_put_back: u64,
    /// Host names that have to be verified anew.
    #[serde(default)]
    pub domains: Vec<String>,
}

/// Brings a clinic back, and makes sure that it is what was exported.
pub async fn restore(ground: &Ground<'_>, wanted: &Restoring<'_>) -> Result<Restored, LifeError> {
    let file = Covered::read(BufReader::with_capacity(1 << 18, File::open(wanted.file).await?)).await?;
    let mut admin = ground.connect().await?;
    let tenant = file.cover.tenant;
    let clinic = Clinic::find(&mut admin, Named::Id(tenant)).await?;
    if clinic.as_ref().is_some_and(|clinic| clinic.state == "SHREDDED") {
        return Err(control_rows::shredded());
    }
    if let Some(clinic) = &clinic {
        clinic.must_be_in_main()?;
    }
    if clinic.is_some() && wanted.as_slug.is_some() {
        return Err(LifeError::Refused(
            "the tenant is there: `praxis tenant rename` changes its slug".to_owned(),
        ));
    }
    let ledger = ground.connect().await?;
    let id = ground.clock.new_id();
    let asked = json!({ "export": file.cover.export, "as": wanted.as_slug });
    match Work::begin(ledger, tenant, Kind::Restore, (wanted.key, &asked), id).await? {
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
    // It goes into statements, and other clinics have such names.
    let own = stage::schema_of(tenant)?;
    if of_row("schema_name")? != own.as_str() || of_row("id")?.parse() != Ok(tenant) {
        return Err(LifeError::Malformed("its head is of another tenant"));
    }

    let placed = match &clinic {
        None => Placed::New,
        Some(clinic) if schema_exists(admin, &clinic.schema).await? => Placed::Beside,
        Some(_) => Placed::InPlace,
    };
    if placed == Placed::Beside && lying_beside(admin, tenant).await?.is_some() {
        return Err(something_lies_beside());
    }
    let slug = match (&clinic, wanted.as_slug) {
        (Some(clinic), _) => clinic.slug.clone(),
        (None, Some(slug)) => slug.to_owned(),
        (None, None) => of_row("slug")?.to_owned(),
    };
    if !is_slug(&slug) {
        return Err(LifeError::SlugInvalid);
    }
    let schema = if placed == Placed::Beside { stage::schema_of(work.id())? } else { own.clone() };

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
    control_rows::settle(ground, &mut transaction, placed, &head, &own, tenant, &slug).await?;
    let keys_put_back = control_rows::keep_keys(ground, &mut transaction, &head, tenant, &key).await?;
    let domains = match placed {
        Placed::New => {
            control_rows::give_domains(&mut transaction, &head, tenant, wanted.base_domain).await?
        }
        Placed::InPlace | Placed::Beside => Vec::new(),
    };
    let waiting = json!(head.waiting);
    if placed != Placed::Beside {
        control_rows::wake(&mut transaction, &own, &waiting).await?;
        control_rows::plan_anew(&mut transaction, &own).await?;
        control_rows::finish(&mut transaction, placed, &head, tenant, version).await?;
    }
    let schema = schema.to_string();
    let restored = Restored { slug, placed, schema, manifest, waiting, keys_put_back, domains };
    let detail = json!({
        "export": restored.manifest.export, "placed": placed, "schema": restored.schema, "keysPutBack": keys_put_back,
        "domains": restored.domains,
    });
    note(&mut transaction, tenant, "RESTORED", detail).await?;
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
                schema: stage::schema_of(cover.tenant)?,
                cell: MAIN.to_owned(),
            };
            let stored = rotation::stored_keys(admin, &clinic).await?;
            let key = TenantKey::unwrap(cover.tenant, &stored, ground.wrapper).await?;
            ExportKey::open_for_clinic(cover.export, &sealed, &key)
        }
    };
    opened.map_err(LifeError::Sealed)
}
