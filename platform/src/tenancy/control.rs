//! The control schema: its connection, and what identifies an installation.

use std::{str::FromStr, sync::Arc, time::Duration};

use sea_orm::DatabaseConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection};

use super::bootstrap::{InstallationError, installation_key};
use super::homes::Homes;
use crate::vault::{InstallationKey, KeyWrapper};

/// Statements that stay prepared on a connection, each with its plan: some ten are in use at each tenant that it serves.
const KEPT_STATEMENTS: usize = 1024;

/// How an installation names its roles, so that several can share one Postgres.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation(String);

impl Installation {
    /// Takes the id stored at bootstrap.
    pub(super) fn stored(id: String) -> Option<Self> {
        (id.len() == 8 && id.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase()))
            .then_some(Self(id))
    }

    /// What tells it from others, as it stands in the control schema.
    pub fn id(&self) -> &str {
        &self.0
    }

    /// The role that owns every schema and runs migrations.
    pub fn owner_role(&self) -> String {
        format!("praxis_{}_owner", self.0)
    }

    /// The login role that reads the control schema.
    pub fn control_role(&self) -> String {
        format!("praxis_{}_control", self.0)
    }

    /// The login role that serves one shard of tenants.
    pub fn app_role(&self, shard: i32) -> String {
        format!("praxis_{}_app_{shard}", self.0)
    }
}

/// Connections to the control schema, and how to reach the cells.
#[derive(Clone)]
pub struct Control {
    installation: Installation,
    admin: PgConnectOptions,
    orm: DatabaseConnection,
    pool: PgPool,
    key: Arc<InstallationKey>,
    homes: Arc<Homes>,
}

impl Control {
    /// Connects as the control role, which reads the control schema and nothing else.
    ///
    /// `database_url` is the operator's; only its address is used, never its rights.
    pub async fn connect(database_url: &str, keys: &dyn KeyWrapper) -> Result<Self, InstallationError> {
        let admin = quiet(PgConnectOptions::from_str(database_url)?);
        let mut connection = admin.connect().await?;
        let id: Option<String> =
            sqlx::query_scalar("SELECT id FROM control.installation").fetch_optional(&mut connection).await?;
        let installation = id.and_then(Installation::stored).ok_or_else(|| {
            sqlx::Error::Configuration(
                "this database holds no Praxis installation: run `praxis migrate up` first".into(),
            )
        })?;
        let key = Arc::new(installation_key(&mut connection, keys).await?);
        connection.close().await?;
        let role = installation.control_role();
        let options = admin
            .clone()
            .username(&role)
            .password(&key.derive_secret("login-role", &role))
            .options([("search_path", "control"), ("statement_timeout", "5000")]);
        let pool = PgPoolOptions::new()
            .max_connections(4)
            .acquire_timeout(Duration::from_secs(5))
            .connect_with(options)
            .await?;
        Ok(Self { installation, admin, orm: pool.clone().into(), pool, key, homes: Arc::default() })
    }

    /// The control schema, for reading.
    pub fn orm(&self) -> &DatabaseConnection {
        &self.orm
    }

    /// The pool behind it, for LISTEN.
    pub(super) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// What was found out about clinics that moved.
    pub(super) fn homes(&self) -> &Homes {
        &self.homes
    }

    /// This installation's names.
    pub fn installation(&self) -> &Installation {
        &self.installation
    }

    /// How the login role of a shard connects. Its statements may take so long, until another limit is set.
    pub(super) fn app_options(&self, shard: i32, statement_timeout: Duration) -> PgConnectOptions {
        let role = self.installation.app_role(shard);
        self.admin
            .clone()
            .username(&role)
            .password(&self.key.derive_secret("login-role", &role))
            .application_name("praxis")
            .statement_cache_capacity(KEPT_STATEMENTS)
            // A login role has no schema of its own: before it is bound it finds nothing.
            .options([
                ("search_path", "pg_catalog"),
                ("lock_timeout", "4000"),
                ("idle_in_transaction_session_timeout", "15000"),
                ("client_connection_check_interval", "2000"),
                // Planning costs several times what running does; see `docs/decisions/0051-plans-are-kept.md`.
                ("plan_cache_mode", "force_generic_plan"),
            ])
            .options([("statement_timeout", statement_timeout.as_millis())])
    }
}

/// Connects with the operator's own rights: for migrations and the CLI, never for requests.
pub async fn connect_admin(database_url: &str) -> Result<PgConnection, sqlx::Error> {
    quiet(PgConnectOptions::from_str(database_url)?).connect().await
}

/// Statement texts never reach the log: they may carry what they must not.
fn quiet(options: PgConnectOptions) -> PgConnectOptions {
    options.disable_statement_logging()
}
