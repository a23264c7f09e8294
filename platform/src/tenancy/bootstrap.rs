//! What an installation needs once: its roles, its schemas, and the rights that are taken away.
//!
//! `set_config` can change the role and the search path from inside any statement. Taking it (and
//! updates of `pg_settings`) from PUBLIC means that an injected expression can't cross tenants.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};

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
/// The connection must belong to a superuser. The roles and the schema appear together or not at
/// all: the owner of the schema `control` is what says which installation this is.
pub async fn bootstrap(
    admin: &mut PgConnection,
    passwords: &LocalKeyWrapper,
) -> Result<Installation, sqlx::Error> {
    let mut transaction = admin.begin().await?;
    let connection: &mut PgConnection = &mut transaction;
    let installation = match installed(connection).await? {
        Some(installation) => installation,
        None => new_installation()?,
    };
    let owner = installation.owner_role();
    ensure_role(connection, &owner, "NOLOGIN").await?;
    let control = installation.control_role();
    ensure_login(connection, &control, passwords).await?;
    run(
        connection,
        format!(
            "GRANT {owner} TO CURRENT_USER;
         SET LOCAL client_min_messages = warning;
         CREATE SCHEMA IF NOT EXISTS control AUTHORIZATION {owner};
         CREATE SCHEMA IF NOT EXISTS cell AUTHORIZATION {owner};
         CREATE SCHEMA IF NOT EXISTS ext AUTHORIZATION {owner};
         CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA ext;
         GRANT USAGE ON SCHEMA control TO {control};
         REVOKE CREATE ON SCHEMA public FROM PUBLIC;
         ALTER DEFAULT PRIVILEGES FOR ROLE {owner} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC"
        ),
    )
    .await?;
    transaction.commit().await?;
    // Only the owner of the functions, a superuser, can take them away; where the operator is not
    // one, `praxis doctor` says what is missing.
    if let Err(error) = run(
        admin,
        "REVOKE EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) FROM PUBLIC;
         REVOKE UPDATE ON pg_catalog.pg_settings FROM PUBLIC"
            .to_owned(),
    )
    .await
    {
        tracing::warn!(error = %error, "set_config could not be taken from PUBLIC; see `praxis doctor`");
    }
    Ok(installation)
}

/// The installation of this database, if it has one.
pub async fn installed(connection: &mut PgConnection) -> Result<Option<Installation>, sqlx::Error> {
    let owner: Option<String> = sqlx::query_scalar(
        "SELECT nspowner::regrole::text FROM pg_catalog.pg_namespace WHERE nspname = 'control'",
    )
    .fetch_optional(connection)
    .await?;
    let Some(owner) = owner else { return Ok(None) };
    let id = owner.strip_prefix("praxis_").and_then(|rest| rest.strip_suffix("_owner")).map(str::to_owned);
    // A schema of that name that is somebody else's must not be touched.
    id.and_then(Installation::stored).map(Some).ok_or_else(|| {
        sqlx::Error::Configuration(
            "the schema `control` of this database belongs to something else than Praxis".into(),
        )
    })
}

fn new_installation() -> Result<Installation, sqlx::Error> {
    let noise: [u8; 5] =
        crypto::random().map_err(|error| sqlx::Error::Configuration(error.to_string().into()))?;
    let id = data_encoding::BASE32_NOPAD.encode(&noise).to_ascii_lowercase();
    Installation::stored(id).ok_or_else(|| sqlx::Error::Configuration("installation id".into()))
}

/// Makes the login role of a shard if it is missing. The caller sees to it that no other does so too.
pub async fn ensure_login_role(
    admin: &mut PgConnection,
    installation: &Installation,
    shard: i32,
    passwords: &LocalKeyWrapper,
) -> Result<(), sqlx::Error> {
    ensure_login(admin, &installation.app_role(shard), passwords).await
}

async fn ensure_login(
    admin: &mut PgConnection,
    role: &str,
    passwords: &LocalKeyWrapper,
) -> Result<(), sqlx::Error> {
    // NOINHERIT: a connection that was never bound to a tenant can read nothing.
    let password = passwords.derive_secret("login-role", role);
    ensure_role(admin, role, &format!("LOGIN NOINHERIT PASSWORD '{}'", *password)).await
}

async fn ensure_role(admin: &mut PgConnection, role: &str, options: &str) -> Result<(), sqlx::Error> {
    let known: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)")
        .bind(role)
        .fetch_one(&mut *admin)
        .await?;
    if known {
        return Ok(());
    }
    run(admin, format!("CREATE ROLE {role} {options}")).await
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
