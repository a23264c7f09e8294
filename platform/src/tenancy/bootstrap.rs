//! What an installation needs once: its roles, its schemas, and the rights that are taken away.
//!
//! `set_config` can change the role and the search path from inside any statement. Taking it (and
//! updates of `pg_settings`) from PUBLIC means that an injected expression can't cross tenants.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};

use super::{cells::MAIN, control::Installation};
use crate::rotation::turn;
use crate::vault::{InstallationKey, KeyWrapper, VaultError, crypto, scram_verifier};

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

/// NOINHERIT: a connection that was never bound to a tenant can read nothing.
const LOGIN: &str = "LOGIN NOINHERIT";

/// Makes what is missing, leaves what is there, and returns the installation.
///
/// The connection must belong to a superuser. The roles and the schema appear together or not at
/// all: the owner of the schema `control` is what says which installation this is.
pub async fn bootstrap(admin: &mut PgConnection) -> Result<Installation, sqlx::Error> {
    let mut transaction = admin.begin().await?;
    let connection: &mut PgConnection = &mut transaction;
    let installation = match installed(connection).await? {
        Some(installation) => installation,
        None => new_installation()?,
    };
    let owner = installation.owner_role();
    ensure_role(connection, &owner, "NOLOGIN").await?;
    let control = installation.control_role();
    // Without a password nobody can log in; `set_passwords` gives one when the key is there.
    ensure_role(connection, &control, LOGIN).await?;
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
    harden(admin).await;
    Ok(installation)
}

/// Only the owner of the functions, a superuser, can take them away; where the operator is not one, `praxis doctor` says
/// what is missing.
async fn harden(admin: &mut PgConnection) {
    let revoke = "REVOKE EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) FROM PUBLIC;
         REVOKE UPDATE ON pg_catalog.pg_settings FROM PUBLIC";
    if let Err(error) = run(admin, revoke.to_owned()).await {
        tracing::warn!(error = %error, "set_config could not be taken from PUBLIC; see `praxis doctor`");
    }
}

/// Why a database can't be a cell.
#[derive(Debug, thiserror::Error)]
pub enum CellRefused {
    /// It holds an installation, this one's control schema or another's.
    #[error("this database has a control schema: it can't be a further cell")]
    Control,
    /// It is a cell of another installation.
    #[error("this database is a cell of another installation")]
    Foreign,
    /// It is this installation's, under another name.
    #[error("this database is the cell \"{0}\" already")]
    Named(String),
    /// The database refused.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Makes what a further cell needs and is missing: the installation's roles with their passwords, the schemas, the name.
///
/// The connection must belong to a superuser of the cell. All of it appears together or not at all, but for what is taken
/// from PUBLIC, which is taken each time.
pub async fn bootstrap_cell(
    home: &mut PgConnection,
    installation: &Installation,
    key: &InstallationKey,
    name: &str,
) -> Result<(), CellRefused> {
    let mut transaction = home.begin().await?;
    let connection: &mut PgConnection = &mut transaction;
    let (owner, control) = (installation.owner_role(), installation.control_role());
    match cell_name(connection, installation).await? {
        Some(known) if known != name => return Err(CellRefused::Named(known)),
        Some(_) | None => {}
    }
    ensure_role(connection, &owner, "NOLOGIN").await?;
    ensure_role(connection, &control, LOGIN).await?;
    set_password(connection, &control, key).await?;
    run(
        connection,
        format!(
            "GRANT {owner} TO CURRENT_USER;
         SET LOCAL client_min_messages = warning;
         CREATE SCHEMA IF NOT EXISTS cell AUTHORIZATION {owner};
         CREATE SCHEMA IF NOT EXISTS ext AUTHORIZATION {owner};
         CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA ext;
         REVOKE CREATE ON SCHEMA public FROM PUBLIC;
         ALTER DEFAULT PRIVILEGES FOR ROLE {owner} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
         SET LOCAL ROLE {owner};
         CREATE TABLE IF NOT EXISTS cell.migration (
            version integer PRIMARY KEY CONSTRAINT migration_version_positive CHECK (version > 0),
            name text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now()
         );
         CREATE TABLE IF NOT EXISTS cell.identity (
            name text NOT NULL,
            only_one boolean NOT NULL DEFAULT true CONSTRAINT identity_only_one UNIQUE CHECK (only_one)
         );
         INSERT INTO cell.identity (name) VALUES ('{name}') ON CONFLICT DO NOTHING;
         RESET ROLE"
        ),
    )
    .await?;
    transaction.commit().await?;
    harden(home).await;
    Ok(())
}

/// The name that a database goes by as a cell of the installation; none where it is no cell yet.
pub async fn cell_name(
    home: &mut PgConnection,
    installation: &Installation,
) -> Result<Option<String>, CellRefused> {
    let (control, owner): (bool, Option<String>) = sqlx::query_as(
        "SELECT to_regnamespace('control') IS NOT NULL,
            (SELECT nspowner::regrole::text FROM pg_catalog.pg_namespace WHERE nspname = 'cell')",
    )
    .fetch_one(&mut *home)
    .await?;
    if control {
        return Err(CellRefused::Control);
    }
    let Some(owner) = owner else { return Ok(None) };
    if owner != installation.owner_role() {
        return Err(CellRefused::Foreign);
    }
    let known: bool =
        sqlx::query_scalar("SELECT to_regclass('cell.identity') IS NOT NULL").fetch_one(&mut *home).await?;
    if !known {
        return Ok(None);
    }
    Ok(sqlx::query_scalar("SELECT name FROM cell.identity").fetch_optional(home).await?)
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

/// Why the installation's own key can't be had.
#[derive(Debug, thiserror::Error)]
pub enum InstallationError {
    /// The key can't be unwrapped.
    #[error("the installation's key cannot be unwrapped")]
    Key(#[from] VaultError),
    /// The database can't be used.
    #[error("the control database cannot be used")]
    Database(#[from] sqlx::Error),
}

/// The installation's own key, as the control schema holds it.
pub async fn installation_key(
    admin: &mut PgConnection,
    wrapper: &dyn KeyWrapper,
) -> Result<InstallationKey, InstallationError> {
    let (wrapped, by): (Vec<u8>, String) =
        sqlx::query_as("SELECT wrapped, wrapper FROM control.installation_key").fetch_one(admin).await?;
    Ok(InstallationKey::unwrap(wrapped, by, wrapper).await?)
}

/// Makes the installation's key where there is none, and gives the login roles their passwords.
///
/// Called by whoever migrates, one at a time. The passwords derive from the key, so giving them again
/// changes none, and puts right what was changed by hand.
pub async fn set_passwords(
    admin: &mut PgConnection,
    installation: &Installation,
    wrapper: &dyn KeyWrapper,
) -> Result<(), InstallationError> {
    let known: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM control.installation_key)")
        .fetch_one(&mut *admin)
        .await?;
    if !known {
        let mut transaction = admin.begin().await?;
        turn::wrapping(&mut transaction).await?;
        let key = InstallationKey::generate()?.wrapped(wrapper).await?;
        sqlx::query("INSERT INTO control.installation_key (wrapped, wrapper) VALUES ($1, $2)")
            .bind(key.bytes)
            .bind(key.wrapper)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
    }
    let key = installation_key(admin, wrapper).await?;
    let shards = shards_of(admin, MAIN).await?;
    let apps = shards.into_iter().map(|shard| installation.app_role(shard));
    for role in std::iter::once(installation.control_role()).chain(apps) {
        set_password(admin, &role, &key).await?;
    }
    Ok(())
}

/// Gives the login roles of a further cell their passwords anew, and makes those that are missing: a role may have been
/// given out and not be made yet.
pub async fn set_cell_passwords(
    home: &mut PgConnection,
    installation: &Installation,
    key: &InstallationKey,
    shards: &[i32],
) -> Result<(), sqlx::Error> {
    set_password(home, &installation.control_role(), key).await?;
    for shard in shards {
        let role = installation.app_role(*shard);
        ensure_role(home, &role, LOGIN).await?;
        set_password(home, &role, key).await?;
    }
    Ok(())
}

/// The login shards that are given out in a cell. A shard's number is of one cell.
pub async fn shards_of(admin: &mut PgConnection, cell: &str) -> Result<Vec<i32>, sqlx::Error> {
    let given = "SELECT login_shard FROM control.tenant WHERE cell_id = $1
        UNION SELECT login_shard FROM control.warm_schema WHERE cell_id = $1 ORDER BY 1";
    sqlx::query_scalar(given).bind(cell).fetch_all(admin).await
}

/// Makes the login role of a shard if it is missing. The caller sees to it that no other does so too.
pub async fn ensure_login_role(
    admin: &mut PgConnection,
    installation: &Installation,
    shard: i32,
    wrapper: &dyn KeyWrapper,
) -> Result<(), InstallationError> {
    let role = installation.app_role(shard);
    if ensure_role(admin, &role, LOGIN).await? {
        let key = installation_key(admin, wrapper).await?;
        set_password(admin, &role, &key).await?;
    }
    Ok(())
}

/// Makes the login role of a shard in a further cell, where the installation's key is not at hand.
pub async fn ensure_cell_login_role(
    home: &mut PgConnection,
    installation: &Installation,
    shard: i32,
    key: &InstallationKey,
) -> Result<(), sqlx::Error> {
    let role = installation.app_role(shard);
    let find = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)";
    if sqlx::query_scalar(find).bind(&role).fetch_one(&mut *home).await? {
        return Ok(());
    }
    // Only the first one of a shard makes it, and only the others that are first wait for it.
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('px-login-role ' || $1, 0))")
        .bind(&role)
        .execute(&mut *home)
        .await?;
    if ensure_role(home, &role, LOGIN).await? {
        set_password(home, &role, key).await?;
    }
    Ok(())
}

async fn set_password(
    admin: &mut PgConnection,
    role: &str,
    key: &InstallationKey,
) -> Result<(), sqlx::Error> {
    // What the server stores, made here: the password itself is never sent, and no log of statements has it.
    let failed = |error: VaultError| sqlx::Error::Configuration(error.to_string().into());
    let password = key.derive_secret("login-role", role);
    let verifier = scram_verifier(&password, &crypto::random().map_err(failed)?);
    run(admin, format!("ALTER ROLE {role} PASSWORD '{verifier}'")).await
}

/// Makes a role unless it is there, and says whether it did.
async fn ensure_role(admin: &mut PgConnection, role: &str, options: &str) -> Result<bool, sqlx::Error> {
    let known: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)")
        .bind(role)
        .fetch_one(&mut *admin)
        .await?;
    if !known {
        run(admin, format!("CREATE ROLE {role} {options}")).await?;
    }
    Ok(!known)
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
