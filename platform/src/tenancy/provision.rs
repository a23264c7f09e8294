//! A new clinic, in one transaction: role, schema, tables, key, template. Killed half way it leaves nothing.
//!
//! The tables come from one compiled snapshot of the newest schema, sent as a single message; no
//! migration is replayed.

use praxis_entity::{control::tenant::TenantState, ids::TenantId};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};

use super::{
    InstallationError, RateOverride, SchemaName, Tenant, bootstrap::ensure_login_role, control::Installation,
    seed::apply_template,
};
use crate::{
    clock::SharedClock,
    rotation::turn,
    template::Template,
    vault::{GuardedKey, KeyWrapper, TenantKey, VaultError},
};

/// The newest tenant schema, with `{schema}` and `{role}` in place of names.
pub const SNAPSHOT: &str = include_str!("../../../tenant-templates/schema.sql");

/// Tenants per login role: the first `SET ROLE` of a backend expands the whole membership.
const TENANTS_PER_SHARD: i64 = 200;

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

/// The number of migrations that the snapshot stands for.
pub fn snapshot_version() -> i32 {
    SNAPSHOT
        .lines()
        .find_map(|line| line.strip_prefix("-- schema version: "))
        .and_then(|version| version.trim().parse().ok())
        .unwrap_or(0)
}

/// Makes a clinic and returns it, ready to be served.
pub async fn provision(
    admin: &mut PgConnection,
    installation: &Installation,
    wrapper: &dyn KeyWrapper,
    clock: &SharedClock,
    template: &Template,
    new: &NewTenant,
) -> Result<Tenant, ProvisionError> {
    check(new)?;
    let id = TenantId(clock.new_id());
    let schema = SchemaName::of(id);
    let owner = installation.owner_role();
    let time_zone = new.time_zone.clone().unwrap_or_else(|| template.manifest.time_zone.clone());
    let locale = new.locale.clone().unwrap_or_else(|| template.manifest.locale.clone());

    let mut transaction = admin.begin().await?;
    let connection: &mut PgConnection = &mut transaction;
    // One new clinic per cell at a time: shards are given out, and their roles made, in turn.
    sqlx::query("SELECT FROM control.cell WHERE id = 'main' FOR NO KEY UPDATE")
        .execute(&mut *connection)
        .await?;
    // Only now: the wait for one's turn may be long, and the root key of before it retired.
    turn::wrapping(connection).await?;
    let wrapped = TenantKey::generate(id.0, 1)?.wrapped(wrapper).await?;
    // The control rows first: a taken slug is found before anything costly is done.
    let shard = next_shard(connection).await?;
    ensure_login_role(connection, installation, shard, wrapper).await?;
    insert_control_rows(
        connection,
        installation,
        &ControlRows {
            id,
            schema: &schema,
            shard,
            new,
            template,
            time_zone: &time_zone,
            locale: &locale,
            key: &wrapped,
        },
    )
    .await?;
    let app = installation.app_role(shard);
    let tables = SNAPSHOT.replace("{schema}", schema.as_str()).replace("{role}", schema.as_str());
    let message = format!(
        "CREATE ROLE {schema} NOLOGIN; GRANT {schema} TO {app}; GRANT {schema} TO {owner};
         CREATE SCHEMA {schema} AUTHORIZATION {owner};
         SET LOCAL ROLE {owner}; GRANT USAGE ON SCHEMA {schema} TO {schema};
         SET LOCAL search_path = {schema};
         {tables}"
    );
    connection.execute(sqlx::raw_sql(AssertSqlSafe(message))).await?;
    sqlx::query("INSERT INTO tenant_self (tenant_id, schema_version) VALUES ($1, $2)")
        .bind(id.0)
        .bind(snapshot_version())
        .execute(&mut *connection)
        .await?;
    apply_template(connection, id.0, template).await?;
    connection.execute(sqlx::raw_sql("RESET ROLE; RESET search_path")).await?;
    sqlx::query("UPDATE control.tenant SET state = 'ACTIVE' WHERE id = $1")
        .bind(id.0)
        .execute(&mut *connection)
        .await?;
    transaction.commit().await?;

    Ok(Tenant {
        id,
        slug: new.slug.clone(),
        display_name: new.display_name.clone(),
        schema,
        cell: "main".to_owned(),
        login_shard: shard,
        locale,
        time_zone,
        state: TenantState::Active,
        schema_version: snapshot_version(),
        operation_mode: None,
        rate: RateOverride::default(),
        actor_rate: RateOverride::default(),
        key_epoch: 0,
    })
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

fn check(new: &NewTenant) -> Result<(), ProvisionError> {
    if !is_slug(&new.slug) {
        return Err(ProvisionError::SlugInvalid);
    }
    if new.display_name.trim().is_empty() {
        return Err(ProvisionError::NameMissing);
    }
    if new.time_zone.as_ref().is_some_and(|zone| zone.parse::<chrono_tz::Tz>().is_err()) {
        return Err(ProvisionError::TimeZoneUnknown);
    }
    Ok(())
}

/// The first shard with room. Whoever takes a place in it holds the cell's row meanwhile.
pub async fn next_shard(connection: &mut PgConnection) -> Result<i32, sqlx::Error> {
    let newest: Option<(i32, i64)> =
        sqlx::query_as("SELECT login_shard, count(*) FROM control.tenant GROUP BY login_shard ORDER BY login_shard DESC LIMIT 1")
            .fetch_optional(connection)
            .await?;
    Ok(match newest {
        None => 0,
        Some((shard, members)) if members < TENANTS_PER_SHARD => shard,
        Some((shard, _)) => shard + 1,
    })
}

struct ControlRows<'a> {
    id: TenantId,
    schema: &'a SchemaName,
    shard: i32,
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
        "INSERT INTO control.tenant (id, schema_name, slug, display_name, locale, time_zone, cell_id, login_shard, schema_version, template, template_version)
         VALUES ($1, $2, $3, $4, $5, $6, 'main', $7, $8, $9, $10)",
    )
    .bind(rows.id.0)
    .bind(rows.schema.as_str())
    .bind(&rows.new.slug)
    .bind(&rows.new.display_name)
    .bind(rows.locale)
    .bind(rows.time_zone)
    .bind(rows.shard)
    .bind(snapshot_version())
    .bind(&rows.template.manifest.name)
    .bind(&rows.template.manifest.version)
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
    .bind(rows.id.0)
    .bind(&rows.key.bytes)
    .bind(&rows.key.wrapper)
    .execute(&mut *connection)
    .await?;
    sqlx::query("INSERT INTO control.tenant_event (tenant_id, kind, actor, detail) VALUES ($1, 'PROVISIONED', $2, $3)")
        .bind(rows.id.0)
        .bind(installation.owner_role())
        .bind(serde_json::json!({ "template": rows.template.manifest.name }))
        .execute(&mut *connection)
        .await?;
    Ok(())
}
