//! What an installation needs once: its roles, its schemas, and the rights that are taken away.
//!
//! `set_config` can change the role and the search path from inside any statement. Taking it (and
//! updates of `pg_settings`) from PUBLIC means that an injected expression can't cross tenants.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor};

use super::control::Installation;
use crate::vault::{LocalKeyWrapper, crypto};

/// Whether the rights that could cross tenants are taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hardening {
    /// Nobody but its owner may call `set_config`.
    pub set_config_revoked: bool,
    /// Nobody but its owner may update `pg_settings`.
    pub settings_revoked: bool,
}

impl Hardening {
    /// True when both are in place.
    pub fn complete(self) -> bool {
        self.set_config_revoked && self.settings_revoked
    }
}

/// Makes what is missing, leaves what is there, and returns the installation.
///
/// The connection must belong to a role that may create roles and schemas.
pub async fn bootstrap(admin: &mut PgConnection, passwords: &LocalKeyWrapper) -> Result<Installation, sqlx::Error> {
    let existing: bool = sqlx::query_scalar("SELECT to_regclass('control.installation') IS NOT NULL").fetch_one(&mut *admin).await?;
    let stored: Option<String> = if existing {
        sqlx::query_scalar("SELECT id FROM control.installation").fetch_optional(&mut *admin).await?
    } else {
        None
    };
    let installation = match stored.and_then(Installation::stored) {
        Some(installation) => installation,
        None => new_installation()?,
    };
    let owner = installation.owner_role();
    ensure_role(admin, &owner, "NOLOGIN").await?;
    let control = installation.control_role();
    ensure_login(admin, &control, passwords).await?;
    run(admin, format!(
        "GRANT {owner} TO CURRENT_USER;
         CREATE SCHEMA IF NOT EXISTS control AUTHORIZATION {owner};
         CREATE SCHEMA IF NOT EXISTS ext AUTHORIZATION {owner};
         CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA ext;
         GRANT USAGE ON SCHEMA control TO {control};
         REVOKE CREATE ON SCHEMA public FROM PUBLIC;
         ALTER DEFAULT PRIVILEGES FOR ROLE {owner} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC"
    ))
    .await?;
    // Only the owner of the functions, a superuser, can take them away; where the operator is not
    // one, `praxis doctor` says what is missing.
    if let Err(error) = run(admin, "REVOKE EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) FROM PUBLIC;
         REVOKE UPDATE ON pg_catalog.pg_settings FROM PUBLIC".to_owned()).await
    {
        tracing::warn!(error = %error, "set_config could not be taken from PUBLIC; see `praxis doctor`");
    }
    Ok(installation)
}

fn new_installation() -> Result<Installation, sqlx::Error> {
    let noise: [u8; 5] = crypto::random().map_err(|error| sqlx::Error::Configuration(error.to_string().into()))?;
    let id = data_encoding::BASE32_NOPAD.encode(&noise).to_ascii_lowercase();
    Installation::stored(id).ok_or_else(|| sqlx::Error::Configuration("installation id".into()))
}

/// Makes the login role of a shard if it is missing, and lets the server log in as it.
pub async fn ensure_login_role(
    admin: &mut PgConnection,
    installation: &Installation,
    shard: i32,
    passwords: &LocalKeyWrapper,
) -> Result<(), sqlx::Error> {
    ensure_login(admin, &installation.app_role(shard), passwords).await
}

async fn ensure_login(admin: &mut PgConnection, role: &str, passwords: &LocalKeyWrapper) -> Result<(), sqlx::Error> {
    // NOINHERIT: a connection that was never bound to a tenant can read nothing.
    let password = passwords.derive_secret("login-role", role);
    ensure_role(admin, role, &format!("LOGIN NOINHERIT PASSWORD '{}'", *password)).await
}

async fn ensure_role(admin: &mut PgConnection, role: &str, options: &str) -> Result<(), sqlx::Error> {
    let known: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)").bind(role).fetch_one(&mut *admin).await?;
    if known {
        return Ok(());
    }
    match run(admin, format!("CREATE ROLE {role} {options}")).await {
        // Somebody else made it at the same time.
        Err(sqlx::Error::Database(error)) if error.code().is_some_and(|code| code == "42710" || code == "23505") => Ok(()),
        other => other,
    }
}

/// Looks whether the rights that could cross tenants are taken away.
pub async fn check_hardening(connection: &mut PgConnection) -> Result<Hardening, sqlx::Error> {
    let (set_config, settings): (bool, bool) = sqlx::query_as(
        "SELECT has_function_privilege('public', 'pg_catalog.set_config(text,text,boolean)', 'EXECUTE'),
                has_table_privilege('public', 'pg_catalog.pg_settings', 'UPDATE')",
    )
    .fetch_one(connection)
    .await?;
    Ok(Hardening { set_config_revoked: !set_config, settings_revoked: !settings })
}

async fn run(connection: &mut PgConnection, sql: String) -> Result<(), sqlx::Error> {
    connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.map(|_| ())
}
