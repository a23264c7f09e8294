//! Why a migration did not run.

use praxis_platform::{tenancy::InstallationError, vault::VaultError};
use sea_orm::DbErr;

/// Why a migration did not run.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// Another run is under way.
    #[error("another migration of this installation is under way")]
    Locked,
    /// The database holds no installation yet.
    #[error("this database holds no Praxis installation: run `praxis migrate up` first")]
    NotInstalled,
    /// A tenant was named that does not exist.
    #[error("there is no tenant \"{0}\"")]
    UnknownTenant(String),
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
    /// The canary of a tenant is missing or contradicts the control schema.
    #[error("tenant_self of schema {0} is missing")]
    CanaryMissing(String),
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
    /// True when waiting for a lock took too long, or two transactions waited for each other.
    pub(super) fn is_contention(&self) -> bool {
        let error = match self {
            Self::Database(error) | Self::Step { source: error, .. } => error,
            _ => return false,
        };
        praxis_platform::error::sqlstate(error).is_some_and(|code| code == "55P03" || code == "40P01")
    }
}
