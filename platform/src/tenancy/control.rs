//! The control schema: its connection, and what identifies an installation.

use std::{str::FromStr, sync::Arc, time::Duration};

use sea_orm::DatabaseConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection};

use super::bootstrap::{InstallationError, installation_key};
use super::{Cells, cells::MAIN, hints::Hints, homes::Homes};
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

    /// What the names of all login roles that serve tenants begin with.
    pub(super) fn app_roles(&self) -> String {
        format!("praxis_{}_app_", self.0)
    }

    /// The login role that serves one shard of tenants.
    pub fn app_role(&self, shard: i32) -> String {
        format!("{}{shard}", self.app_roles())
    }
}

/// Connections to the control schema, and how to reach the cells.
#[derive(Clone)]
pub struct Control {
    installation: Installation,
    cells: Cells,
    orm: DatabaseConnection,
    pool: PgPool,
    hints: Arc<Hints>,
    key: Arc<InstallationKey>,
    homes: Arc<Homes>,
}

impl Control {
    /// Connects as the control role, which reads the control schema and nothing else.
    ///
    /// The addresses are the operator's; only where they lead is used, never their rights.
    pub async fn connect(cells: impl Into<Cells>, keys: &dyn KeyWrapper) -> Result<Self, InstallationError> {
        let cells = cells.into();
        let mut connection = cells.connect(MAIN).await?;
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
        let login = |cell: &str, path: &str| {
            let options = cells.home(cell)?.username(&role).password(&key.derive_secret("login-role", &role));
            Ok::<_, sqlx::Error>(options.options([("search_path", path), ("statement_timeout", "5000")]))
        };
        let options = login(MAIN, "control")?;
        let pool = PgPoolOptions::new()
            .max_connections(4)
            .acquire_timeout(Duration::from_secs(5))
            .connect_with(options)
            .await?;
        let further: Vec<_> = cells
            .further()
            .map(|cell| Ok((cell, login(cell, "pg_catalog")?)))
            .collect::<Result<_, sqlx::Error>>()?;
        let hints = Arc::new(Hints::new(pool.clone(), further));
        Ok(Self { installation, cells, orm: pool.clone().into(), pool, hints, key, homes: Arc::default() })
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

    /// The cells that this process knows the addresses of.
    pub fn cells(&self) -> &Cells {
        &self.cells
    }

    /// Where each cell says who has work waiting.
    pub(super) fn hints(&self) -> &Hints {
        &self.hints
    }

    /// How the login role of a shard connects to its cell. Its statements may take so long, until another limit is set.
    pub(super) fn app_options(
        &self,
        cell: &str,
        shard: i32,
        statement_timeout: Duration,
    ) -> Result<PgConnectOptions, sqlx::Error> {
        let role = self.installation.app_role(shard);
        let options = self
            .cells
            .home(cell)?
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
            .options([("statement_timeout", statement_timeout.as_millis())]);
        Ok(options)
    }
}

/// Connects to a database with the operator's own rights: for migrations and the CLI, never for requests.
pub async fn connect_admin(database_url: &str) -> Result<PgConnection, sqlx::Error> {
    quiet(PgConnectOptions::from_str(database_url)?).connect().await
}

/// Statement texts never reach the log: they may carry what they must not.
fn quiet(options: PgConnectOptions) -> PgConnectOptions {
    options.disable_statement_logging()
}
