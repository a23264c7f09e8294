//! A clinic brought back from its export: in its place where there is none, and else beside the live one.
//!
//! It comes back as itself: under its own id, which is bound into everything that is sealed and is the name of its
//! audit log. All of it is one transaction: what can't be opened, or is not what the manifest says, leaves nothing. In a
//! further cell its tables are made in a schema of the operation's own first; then it is settled in the control schema that
//! the clinic is back, and only then the schema takes the clinic's name. Killed in between, it goes on there.

use std::path::Path;

use data_encoding::BASE64;
use praxis_platform::{
    rotation,
    tenancy::{MAIN, SchemaName, installation_key, is_slug},
    vault::{ExportKey, TenantKey},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::{Connection, postgres::PgConnection};
use tokio::{fs::File, io::BufReader};
use uuid::Uuid;

use super::{
    Clinic, Ground, Holder, LifeError, Manifest, Named,
    control_rows::{self, let_serve_there, settle},
    frames::Frame,
    limits::{copy_quotas, may_have, set_quotas},
    manifest::{Cover, Head, SealedFor},
    note,
    operation::{Begun, Kind, Work, is_under_way},
    run, schema_exists,
    sealed_file::{Covered, SealedReader},
    stage,
    swap::{lying_beside, point_functions, something_lies_beside},
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
            let restoring = Restore { ground, admin: &mut admin, file, wanted, work: &mut work };
            let result = match clinic {
                Some(clinic) if clinic.cell != MAIN => restoring.elsewhere(&clinic).await,
                clinic => restoring.here(clinic.as_ref()).await,
            };
            work.end(result).await
        }
    }
}

type Input = BufReader<File>;

/// A restore under way.
struct Restore<'a, 'g> {
    ground: &'a Ground<'g>,
    admin: &'a mut PgConnection,
    file: Covered<Input>,
    wanted: &'a Restoring<'a>,
    work: &'a mut Work,
}

/// An export that was opened, up to its tables.
struct Export {
    file: SealedReader<Input>,
    key: ExportKey,
    head: Box<Head>,
    tenant: Uuid,
    version: i32,
    slug: String,
    /// The clinic's own schema, and its role.
    own: SchemaName,
}

impl Restore<'_, '_> {
    /// In the database of the control schema: all in one transaction.
    async fn here(self, clinic: Option<&Clinic>) -> Result<Restored, LifeError> {
        let Self { ground, admin, file, wanted, work } = self;
        let mut export = Export::open(ground, admin, file, wanted, clinic).await?;
        let (tenant, own) = (export.tenant, export.own.clone());
        let placed = match clinic {
            None => Placed::New,
            Some(clinic) if schema_exists(admin, &clinic.schema).await? => Placed::Beside,
            Some(_) => Placed::InPlace,
        };
        if placed == Placed::Beside && lying_beside(admin, None, tenant).await?.is_some() {
            return Err(something_lies_beside());
        }
        let schema = if placed == Placed::Beside { stage::schema_of(work.id())? } else { own.clone() };

        let mut transaction = admin.begin().await?;
        let manifest = export.make(ground, &mut transaction, &schema, work).await?;
        // The control rows come last: whoever changes a clinic keeps all others waiting that are changed.
        let shard = settle(&mut transaction, None, placed, &export.head, tenant, &export.slug).await?;
        if let Some(shard) = shard {
            control_rows::let_serve(&mut transaction, ground.installation, ground.wrapper, shard, &own)
                .await?;
        }
        let keys_put_back = export.keep_keys(ground, &mut transaction).await?;
        let domains = match placed {
            Placed::New => {
                let base = wanted.base_domain;
                control_rows::give_domains(&mut transaction, &export.head, tenant, base).await?
            }
            Placed::InPlace | Placed::Beside => Vec::new(),
        };
        let waiting = json!(export.head.waiting);
        if placed != Placed::Beside {
            control_rows::wake(&mut transaction, &own, &waiting).await?;
            control_rows::plan_anew(&mut transaction, &own).await?;
            control_rows::finish(&mut transaction, placed, &export.head, tenant, export.version).await?;
            if let Some(clinic) = Clinic::find(&mut transaction, Named::Id(tenant)).await? {
                copy_quotas(&mut transaction, &clinic).await?;
            }
        }
        let (slug, schema) = (export.slug, schema.to_string());
        let restored = Restored { slug, placed, schema, manifest, waiting, keys_put_back, domains };
        tell(&mut transaction, tenant, &restored).await?;
        work.keep(&mut transaction, &restored, true).await?;
        transaction.commit().await?;
        Ok(restored)
    }

    /// In a further cell.
    async fn elsewhere(self, clinic: &Clinic) -> Result<Restored, LifeError> {
        let Self { ground, admin, file, wanted, work } = self;
        let mut home = ground.home(&clinic.cell).await?;
        let staged = stage::schema_of(work.id())?;
        // Killed after the control schema was told.
        let is_there =
            schema_exists(&mut home, &staged).await? || schema_exists(&mut home, &clinic.schema).await?;
        if let Some(restored) = work.kept_before::<Restored>().await?.filter(|_| is_there) {
            move_in(ground, admin, &mut home, clinic, (&restored, &staged)).await?;
            return Ok(restored);
        }
        let restoring = Restore { ground, admin: &mut *admin, file, wanted, work };
        let restored = restoring.apart(&mut home, clinic, &staged).await?;
        if restored.placed == Placed::InPlace {
            move_in(ground, admin, &mut home, clinic, (&restored, &staged)).await?;
        }
        Ok(restored)
    }

    /// Makes a schema of its own of the export, and tells the control schema.
    async fn apart(
        self,
        home: &mut PgConnection,
        clinic: &Clinic,
        staged: &SchemaName,
    ) -> Result<Restored, LifeError> {
        let Self { ground, admin, file, wanted, work } = self;
        let mut export = Export::open(ground, admin, file, wanted, Some(clinic)).await?;
        let tenant = export.tenant;
        let is_there = schema_exists(home, &clinic.schema).await?;
        let placed = if is_there { Placed::Beside } else { Placed::InPlace };
        if placed == Placed::Beside && lying_beside(admin, Some(home), tenant).await?.is_some() {
            return Err(something_lies_beside());
        }
        let mut turn = admin.begin().await?;
        stage::drop_left(&mut turn, home, tenant).await?;
        turn.commit().await?;
        let mut building = home.begin().await?;
        // Left by a run that was killed.
        stage::drop_schema(&mut building, staged).await?;
        let manifest = export.make(ground, &mut building, staged, work).await?;
        building.commit().await?;

        let mut transaction = admin.begin().await?;
        match told(ground, &mut transaction, home, clinic, (placed, staged), (export, manifest), work).await {
            Ok(restored) => {
                transaction.commit().await?;
                Ok(restored)
            }
            Err(error) => {
                stage::drop_schema(home, staged).await?;
                Err(error)
            }
        }
    }
}

/// Tells the control schema what was made in the clinic's home.
async fn told(
    ground: &Ground<'_>,
    control: &mut PgConnection,
    home: &mut PgConnection,
    clinic: &Clinic,
    (placed, staged): (Placed, &SchemaName),
    (export, manifest): (Export, Manifest),
    work: &mut Work,
) -> Result<Restored, LifeError> {
    let tenant = export.tenant;
    settle(control, Some(home), placed, &export.head, tenant, &export.slug).await?;
    // Making it was long.
    if is_under_way(control, tenant, work.id()).await? {
        return Err(LifeError::Locked);
    }
    let now = Clinic::find(control, Named::Id(tenant)).await?;
    let is_there = schema_exists(home, &clinic.schema).await?;
    if now.is_none_or(|now| now.cell != clinic.cell) || is_there != (placed == Placed::Beside) {
        let why = "the tenant moved or came back meanwhile: restore it once more";
        return Err(LifeError::Refused(why.to_owned()));
    }
    let keys_put_back = export.keep_keys(ground, control).await?;
    if placed == Placed::InPlace {
        control_rows::finish(control, placed, &export.head, tenant, export.version).await?;
    }
    let schema = if placed == Placed::Beside { staged } else { &export.own };
    let schema = schema.to_string();
    let (slug, waiting, domains) = (export.slug, json!(export.head.waiting), Vec::new());
    let restored = Restored { slug, placed, schema, manifest, waiting, keys_put_back, domains };
    tell(control, tenant, &restored).await?;
    work.keep(control, &restored, placed == Placed::Beside).await?;
    Ok(restored)
}

impl Export {
    /// Opens the export up to its tables.
    async fn open(
        ground: &Ground<'_>,
        admin: &mut PgConnection,
        covered: Covered<Input>,
        wanted: &Restoring<'_>,
        clinic: Option<&Clinic>,
    ) -> Result<Self, LifeError> {
        let tenant = covered.cover.tenant;
        let key = export_key(ground, admin, &covered.cover, wanted.holder).await?;
        let mut file: SealedReader<Input> = covered.open(&key)?;
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
        let slug = match (clinic, wanted.as_slug) {
            (Some(clinic), _) => clinic.slug.clone(),
            (None, Some(slug)) => slug.to_owned(),
            (None, None) => of_row("slug")?.to_owned(),
        };
        if !is_slug(&slug) {
            return Err(LifeError::SlugInvalid);
        }
        Ok(Self { file, key, head, tenant, version, slug, own })
    }

    /// Makes a schema of it, and makes sure that it is what was exported.
    async fn make(
        &mut self,
        ground: &Ground<'_>,
        transaction: &mut PgConnection,
        schema: &SchemaName,
        work: &mut Work,
    ) -> Result<Manifest, LifeError> {
        stage::make(transaction, ground.installation, schema, &self.own, self.version).await?;
        let manifest = stage::fill(ground, transaction, schema, &mut self.file, work).await?;
        if manifest.tenant != self.tenant || manifest.schema_version != self.version {
            return Err(LifeError::Malformed("manifest"));
        }
        self.file.end().await?;
        run(transaction, "RESET search_path; SET LOCAL session_replication_role = origin".to_owned()).await?;
        Ok(manifest)
    }

    async fn keep_keys(&self, ground: &Ground<'_>, transaction: &mut PgConnection) -> Result<u64, LifeError> {
        control_rows::keep_keys(ground, transaction, &self.head, self.tenant, &self.key).await
    }
}

/// What was made of the export takes the place of what is gone, if it did not yet.
async fn move_in(
    ground: &Ground<'_>,
    admin: &mut PgConnection,
    home: &mut PgConnection,
    clinic: &Clinic,
    (restored, staged): (&Restored, &SchemaName),
) -> Result<(), LifeError> {
    let key = installation_key(admin, ground.wrapper).await?;
    let most = may_have(admin, clinic).await?;
    let own = &clinic.schema;
    let_serve_there(home, ground.installation, &key, clinic.login_shard, own).await?;
    let mut transaction = home.begin().await?;
    if schema_exists(&mut transaction, staged).await? {
        if schema_exists(&mut transaction, own).await? {
            let why = "another restore brought the tenant back meanwhile";
            return Err(LifeError::Refused(why.to_owned()));
        }
        run(&mut transaction, format!("ALTER SCHEMA {staged} RENAME TO {own}")).await?;
        point_functions(&mut transaction, own).await?;
        control_rows::wake(&mut transaction, own, &restored.waiting).await?;
        control_rows::plan_anew(&mut transaction, own).await?;
        set_quotas(&mut transaction, clinic, most).await?;
    }
    Ok(transaction.commit().await?)
}

/// Writes down that the clinic was restored.
async fn tell(transaction: &mut PgConnection, tenant: Uuid, restored: &Restored) -> Result<(), LifeError> {
    let detail = json!({
        "export": restored.manifest.export, "placed": restored.placed, "schema": restored.schema,
        "keysPutBack": restored.keys_put_back, "domains": restored.domains,
    });
    Ok(note(transaction, tenant, "RESTORED", detail).await?)
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
