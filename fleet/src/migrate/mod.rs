//! Brings the control schema and the schemas of all tenants to the version this build knows.
//!
//! The control schema goes first, step by step. Then every tenant that is behind is migrated in one
//! transaction of its own, several at a time, with a row lock on its `tenant_self` as the mutual
//! exclusion: killed at any point, a tenant is at the old version or at the new one. What happened
//! is kept in a ledger, from which the next run goes on.

mod control;
mod error;
mod fleet;
mod ledger;
mod snapshot;
mod tenant;
mod up;

pub use error::MigrateError;
pub use fleet::{Fleet, TenantVersion};
pub use up::{Event, OnError, Options, Outcome, RUN_LOCK, Report};

use std::time::Duration;

use praxis_migration::Steps;
use sea_orm::DatabaseConnection;
use sqlx::{
    ConnectOptions,
    postgres::{PgConnectOptions, PgPoolOptions},
};

/// The steps of both schemas, and how to apply them to an installation.
///
/// The lists are given, not compiled in, so that a test can add a step of its own.
pub struct Migrator {
    control: Steps,
    tenant: Steps,
    database_url: String,
}

impl Migrator {
    /// A migrator with the steps this build was made with.
    pub fn new(database_url: &str) -> Self {
        Self::with_steps(database_url, praxis_migration::control::steps(), praxis_migration::tenant::steps())
    }

    /// A migrator with steps of one's own.
    pub fn with_steps(database_url: &str, control: Steps, tenant: Steps) -> Self {
        Self { control, tenant, database_url: database_url.to_owned() }
    }

    /// The version that every tenant is brought to.
    pub fn tenant_target(&self) -> i32 {
        version_of(&self.tenant)
    }

    /// The version that the control schema is brought to.
    pub fn control_target(&self) -> i32 {
        version_of(&self.control)
    }

    /// Connections with the operator's rights, in the form that migration steps take.
    async fn connect(&self, connections: u32) -> Result<DatabaseConnection, MigrateError> {
        let options: PgConnectOptions = self.database_url.parse()?;
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(5))
            // Tables change under these connections: a plan is not worth keeping.
            .connect_with(options.disable_statement_logging().statement_cache_capacity(0))
            .await?;
        Ok(pool.into())
    }
}

/// A schema's version is the number of steps applied to it.
fn version_of(steps: &Steps) -> i32 {
    i32::try_from(steps.len()).unwrap_or(i32::MAX)
}

/// The steps that follow a version, each with the version it leads to.
fn steps_after(
    steps: &Steps,
    version: i32,
) -> impl Iterator<Item = (i32, &dyn sea_orm_migration::MigrationTrait)> {
    (1..).zip(steps.iter().map(AsRef::as_ref)).skip(usize::try_from(version).unwrap_or(0))
}
