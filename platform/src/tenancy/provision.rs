//! A new clinic, in one transaction: role, schema, tables, key, template. Killed half way it leaves nothing.
//!
//! Role and tables are taken from the warm pool, or made if that is empty: from the compiled snapshot of the
//! newest schema, and no migration is replayed.

use praxis_entity::{control::tenant::TenantState, ids::TenantId};
use sqlx::postgres::{PgConnection, Postgres};
use sqlx::{Connection, Executor, Transaction};

use super::{
    InstallationError, RateOverride, Tenant,
    bootstrap::installation_key,
    cells::MAIN,
    control::Installation,
    site::{Site, allot, build, make_role},
    snapshot::{snapshot_oldest_build, snapshot_version},
    warm::{self, Claimed, PoolOf},
};
use crate::{
    clock::SharedClock,
    rotation::turn,
    template::Template,
    vault::{GuardedKey, KeyWrapper, TenantKey, VaultError},
};

/// What a new clinic is called and made from.
#[derive(Debug, Clone)]
pub struct NewTenant {
    /// Subdomain.
    pub slug: String,
    /// Name as shown.
    pub display_name: String,
    /// BCP 47 locale; the template's when absent.
    pub locale: Option<String>,
    /// IANA zone; the template's when absent.
    pub time_zone: Option<String>,
}

/// Why a clinic was not made.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// The subdomain is in use.
    #[error("the slug is taken")]
    SlugTaken,
    /// The subdomain is no valid DNS label, or reserved.
    #[error("the slug must be 1 to 63 letters a-z, digits or hyphens, and not a reserved word")]
    SlugInvalid,
    /// The time zone is not known.
    #[error("unknown time zone")]
    TimeZoneUnknown,
    /// The name is empty.
    #[error("the name is empty")]
    NameMissing,
    /// There is no such cell.
    #[error("there is no cell \"{0}\"")]
    CellUnknown(String),
    /// The cell takes no clinics.
    #[error("the cell \"{0}\" takes no new tenants: it is draining, or full")]
    CellClosed(String),
    /// A key could not be made or wrapped.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The database refused.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl From<InstallationError> for ProvisionError {
    fn from(error: InstallationError) -> Self {
        match error {
            InstallationError::Key(error) => Self::Vault(error),
            InstallationError::Database(error) => Self::Database(error),
        }
    }
}

/// While somebody is served in the cell of a clinic that is about to be made, sees to it that the pool has a schema for it:
/// made in many small transactions, of which nobody notices anything, where [`provision`] makes it in a large one.
/// `home` leads to the cell; neither connection may be in a transaction.
pub async fn prepare(
    admin: &mut PgConnection,
    (cell, home): (&str, &mut PgConnection),
    installation: &Installation,
    wrapper: &dyn KeyWrapper,
    clock: &SharedClock,
    template: &Template,
    new: &NewTenant,
) -> Result<(), ProvisionError> {
    check(admin, cell, new).await?;
    let pool = PoolOf { cell, template: Some(template) };
    Ok(warm::make_one(admin, home, pool, installation, wrapper, clock).await?)
}

/// Makes a clinic in the control database and returns it, ready to be served.
pub async fn provision(
    admin: &mut PgConnection,
    installation: &Installation,
    wrapper: &dyn KeyWrapper,
    clock: &SharedClock,
    template: &Template,
    new: &NewTenant,
) -> Result<Tenant, ProvisionError> {
    check(admin, MAIN, new).await?;
    let time_zone = new.time_zone.clone().unwrap_or_else(|| template.manifest.time_zone.clone());
    let locale = new.locale.clone().unwrap_or_else(|| template.manifest.locale.clone());
    let mut transaction = admin.begin().await?;
    let warm = warm::claim(&mut transaction, template).await?;
    let is_warm = warm.is_some();
    let (site, is_filled) = match warm {
        Some(Claimed { site, is_filled, .. }) => (site, is_filled),
        None => {
            transaction.rollback().await?;
            let shard = allot(admin, installation, wrapper).await?;
            transaction = admin.begin().await?;
            let site = Site::of(TenantId(clock.new_id()), shard);
            make_role(&mut transaction, installation, &site).await?;
            build(&mut transaction, installation, &site).await?;
            (site, false)
        }
    };
    let connection: &mut PgConnection = &mut transaction;
    if !is_filled {
        warm::fill(connection, installation, &site, template).await?;
    }
    // Only now: making the schema may have taken long, and the root key of before it be retired.
    turn::wrapping(connection).await?;
    let wrapped = TenantKey::generate(site.id.0, 1)?.wrapped(wrapper).await?;
    // Last, for whatever changes the directory waits for its turn from here to the commit.
    let rows = ControlRows {
        site: &site,
        cell: MAIN,
        is_warm,
        new,
        template,
        time_zone: &time_zone,
        locale: &locale,
        key: &wrapped,
    };
    insert_control_rows(connection, installation, &rows).await?;
    activate(connection, &site).await?;
    transaction.commit().await?;

    Ok(tenant(site, MAIN, new, locale, time_zone))
}

/// Makes a clinic in a further cell, to which `home` leads. It is one when the caller commits the transaction.
///
/// Two databases share no transaction. So its place is noted in the control schema first, as one of the cell's pool;
/// then role, tables and template are made in the cell; and last, in one transaction of the control schema, it is taken
/// out of the pool and gets its key and its row. Until then it is no clinic. Killed at any point, the place is in the pool
/// still, and whoever takes it next makes it anew.
pub async fn provision_in<'a>(
    admin: &'a mut PgConnection,
    (cell, home): (&str, &mut PgConnection),
    installation: &Installation,
    wrapper: &dyn KeyWrapper,
    clock: &SharedClock,
    template: &Template,
    new: &NewTenant,
) -> Result<(Transaction<'a, Postgres>, Tenant), ProvisionError> {
    check(admin, cell, new).await?;
    let time_zone = new.time_zone.clone().unwrap_or_else(|| template.manifest.time_zone.clone());
    let locale = new.locale.clone().unwrap_or_else(|| template.manifest.locale.clone());
    let key = installation_key(admin, wrapper).await?;
    let mut transaction = admin.begin().await?;
    // Another one may take what was noted before it is taken here, and this one the other's.
    let pool = PoolOf { cell, template: Some(template) };
    let Claimed { site, is_built, is_filled } = loop {
        if let Some(claimed) = warm::claim_in(&mut transaction, pool).await? {
            break claimed;
        }
        // Noted for good before anything is made.
        warm::note_one(&mut transaction, clock, cell).await?;
        transaction.execute(sqlx::raw_sql("COMMIT; BEGIN")).await?;
    };
    let is_warm = is_built && warm::is_untouched(home, &site).await?;
    let mut building = home.begin().await?;
    if !is_warm {
        warm::build_anew(&mut building, installation, &key, &site).await?;
    }
    warm::mark_taken(&mut building, &site).await?;
    if !(is_warm && is_filled) {
        warm::fill(&mut building, installation, &site, template).await?;
    }
    building.commit().await?;
    turn::wrapping(&mut transaction).await?;
    let wrapped = TenantKey::generate(site.id.0, 1)?.wrapped(wrapper).await?;
    let rows = ControlRows {
        site: &site,
        cell,
        is_warm,
        new,
        template,
        time_zone: &time_zone,
        locale: &locale,
        key: &wrapped,
    };
    insert_control_rows(&mut transaction, installation, &rows).await?;
    activate(&mut transaction, &site).await?;
    Ok((transaction, tenant(site, cell, new, locale, time_zone)))
}

/// Whether a cell takes clinics.
async fn has_room(admin: &mut PgConnection, cell: &str) -> Result<(), ProvisionError> {
    let sql = "SELECT role <> 'draining' AND max_tenants >
            (SELECT count(*) FROM control.tenant WHERE cell_id = $1 AND state <> 'SHREDDED')
        FROM control.cell WHERE id = $1";
    match sqlx::query_scalar(sql).bind(cell).fetch_optional(admin).await? {
        Some(true) => Ok(()),
        Some(false) => Err(ProvisionError::CellClosed(cell.to_owned())),
        None => Err(ProvisionError::CellUnknown(cell.to_owned())),
    }
}

async fn activate(transaction: &mut PgConnection, site: &Site) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE control.tenant SET state = 'ACTIVE' WHERE id = $1")
        .bind(site.id.0)
        .execute(transaction)
        .await
        .map(|_| ())
}

fn tenant(site: Site, cell: &str, new: &NewTenant, locale: String, time_zone: String) -> Tenant {
    Tenant {
        id: site.id,
        slug: new.slug.clone(),
        display_name: new.display_name.clone(),
        schema: site.schema,
        cell: cell.to_owned(),
        login_shard: site.shard,
        locale,
        time_zone,
        state: TenantState::Active,
        schema_version: snapshot_version(),
        oldest_build: snapshot_oldest_build(),
        operation_mode: None,
        rate: RateOverride::default(),
        actor_rate: RateOverride::default(),
        key_epoch: 0,
        moves: 0,
    }
}

/// Whether the subdomain is in use. Of two at once the constraint lets one through.
async fn is_taken(connection: &mut PgConnection, slug: &str) -> Result<bool, sqlx::Error> {
    let find = "SELECT EXISTS (SELECT FROM control.tenant WHERE slug = $1)";
    sqlx::query_scalar(find).bind(slug).fetch_one(connection).await
}

/// Whether a clinic can be reached under this subdomain: a DNS label, and not a reserved word.
pub fn is_slug(slug: &str) -> bool {
    const RESERVED: [&str; 8] = ["www", "api", "admin", "app", "control", "static", "mail", "status"];
    let shaped = (1..=63).contains(&slug.len())
        && slug.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !slug.starts_with('-')
        && !slug.ends_with('-');
    shaped && !RESERVED.contains(&slug)
}

/// Whether it can be made in a cell, before anything costly is done.
async fn check(admin: &mut PgConnection, cell: &str, new: &NewTenant) -> Result<(), ProvisionError> {
    if !is_slug(&new.slug) {
        return Err(ProvisionError::SlugInvalid);
    }
    if new.display_name.trim().is_empty() {
        return Err(ProvisionError::NameMissing);
    }
    if new.time_zone.as_ref().is_some_and(|zone| zone.parse::<chrono_tz::Tz>().is_err()) {
        return Err(ProvisionError::TimeZoneUnknown);
    }
    if is_taken(admin, &new.slug).await? {
        return Err(ProvisionError::SlugTaken);
    }
    has_room(admin, cell).await
}

struct ControlRows<'a> {
    site: &'a Site,
    cell: &'a str,
    is_warm: bool,
    new: &'a NewTenant,
    template: &'a Template,
    time_zone: &'a str,
    locale: &'a str,
    key: &'a GuardedKey,
}

async fn insert_control_rows(
    connection: &mut PgConnection,
    installation: &Installation,
    rows: &ControlRows<'_>,
) -> Result<(), ProvisionError> {
    let inserted = sqlx::query(
        "INSERT INTO control.tenant (id, schema_name, slug, display_name, locale, time_zone, cell_id, login_shard, schema_version, oldest_build, template, template_version)
         VALUES ($1, $2, $3, $4, $5, $6, $12, $7, $8, $9, $10, $11)",
    )
    .bind(rows.site.id.0)
    .bind(rows.site.schema.as_str())
    .bind(&rows.new.slug)
    .bind(&rows.new.display_name)
    .bind(rows.locale)
    .bind(rows.time_zone)
    .bind(rows.site.shard)
    .bind(snapshot_version())
    .bind(snapshot_oldest_build())
    .bind(&rows.template.manifest.name)
    .bind(&rows.template.manifest.version)
    .bind(rows.cell)
    .execute(&mut *connection)
    .await;
    match inserted {
        Err(sqlx::Error::Database(error)) if error.constraint() == Some("tenant_slug_unique") => {
            return Err(ProvisionError::SlugTaken);
        }
        other => other?,
    };
    sqlx::query(
        "INSERT INTO control.tenant_key (tenant_id, version, wrapped, wrapper) VALUES ($1, 1, $2, $3)",
    )
    .bind(rows.site.id.0)
    .bind(&rows.key.bytes)
    .bind(&rows.key.wrapper)
    .execute(&mut *connection)
    .await?;
    sqlx::query("INSERT INTO control.tenant_event (tenant_id, kind, actor, detail) VALUES ($1, 'PROVISIONED', coalesce(nullif(current_setting('praxis.actor', true), ''), $2), $3)")
        .bind(rows.site.id.0)
        .bind(installation.owner_role())
        .bind(serde_json::json!({ "template": rows.template.manifest.name, "warm": rows.is_warm }))
        .execute(&mut *connection)
        .await?;
    Ok(())
}
