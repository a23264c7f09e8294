//! Why a migration did not run.

use praxis_platform::{
    tenancy::{CellUnknown, InstallationError},
    vault::VaultError,
};
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};
use uuid::Uuid;

/// Why a migration did not run.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// Another run is under way.
    #[error("another migration of this installation is under way")]
    Locked,
    /// The database holds no installation yet.
    #[error("this database holds no Praxis installation: run `praxis migrate up` first")]
    NotInstalled,
    /// The process does not know where a cell is.
    #[error(transparent)]
    CellUnknown(#[from] CellUnknown),
    /// A tenant was named that does not exist.
    #[error("there is no tenant \"{0}\"")]
    UnknownTenant(String),
    /// A pattern was given that no tenant is like.
    #[error("no tenant is like \"{0}\"")]
    NothingLike(String),
    /// A run was named that the ledger does not know.
    #[error("there is no run {0}")]
    UnknownRun(Uuid),
    /// The control schema was made by a newer build.
    #[error("the control schema is at version {found}, newer than this build's {known}")]
    Newer {
        /// Version found.
        found: i32,
        /// Version this build knows.
        known: i32,
    },
    /// A step failed.
    #[error("step {step} failed: {source}")]
    Step {
        /// Name of the step.
        step: String,
        /// What the database said.
        source: DbErr,
    },
    /// A server came that uses what a step takes away.
    #[error("step {step} was not begun: a server of build {build} uses what it takes away")]
    InUse {
        /// Name of the step.
        step: String,
        /// Build of that server.
        build: i32,
    },
    /// The run's lock is gone, so somebody else may be at it.
    #[error("the connection that held the migration lock is gone; run it again")]
    LockLost,
    /// A tenant's version changed while it was looked at.
    #[error("{0} was migrated meanwhile; look again")]
    Moved(String),
    /// The canary of a tenant is missing or contradicts the control schema.
    #[error("tenant_self of schema {0} is missing")]
    CanaryMissing(String),
    /// The catalogue of a schema holds something that is not known here.
    #[error("a schema holds an object of the unknown kind {0}")]
    Catalogue(String),
    /// A repair did not bring about what it should; it was taken back.
    #[error("{0} was left as it is: after the repair this would still be to do: {1}")]
    NotRepaired(String, String),
    /// A repair would change values.
    #[error("values of {0} would be changed: put that column right by hand")]
    WouldLose(String),
    /// `pg_dump` failed.
    #[error("pg_dump: {0}")]
    Dump(String),
    /// The installation's key can't be unwrapped.
    #[error("the installation's key cannot be unwrapped")]
    Key(#[source] VaultError),
    /// The database could not be reached, or refused.
    #[error(transparent)]
    Connection(#[from] sqlx::Error),
    /// The database refused.
    #[error(transparent)]
    Database(#[from] DbErr),
}

impl From<InstallationError> for MigrateError {
    fn from(error: InstallationError) -> Self {
        match error {
            InstallationError::Key(error) => Self::Key(error),
            InstallationError::Database(error) => Self::Connection(error),
        }
    }
}

impl MigrateError {
    /// What the database said, if it was the database.
    pub fn database(&self) -> Option<&sqlx::Error> {
        match self {
            Self::Connection(error) => Some(error),
            Self::Database(error) | Self::Step { source: error, .. } => match error {
                DbErr::Conn(RuntimeErr::SqlxError(error))
                | DbErr::Exec(RuntimeErr::SqlxError(error))
                | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
                DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) => Some(&sqlx::Error::PoolTimedOut),
                DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed) => Some(&sqlx::Error::PoolClosed),
                _ => None,
            },
            _ => None,
        }
    }

    /// True when waiting for a lock took too long, or two transactions waited for each other.
    pub(super) fn is_contention(&self) -> bool {
        let error = match self {
            Self::Database(error) | Self::Step { source: error, .. } => error,
            _ => return false,
        };
        praxis_platform::error::sqlstate(error).is_some_and(|code| code == "55P03" || code == "40P01")
    }
}
