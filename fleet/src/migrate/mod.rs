//! Brings the control schema and the schemas of all tenants to the version this build knows.
//!
//! The control schema goes first. Then every tenant that is behind is brought forward step by step, each
//! step in a transaction of its own, several tenants at a time and wave by wave, with a row lock on its
//! `tenant_self` as the mutual exclusion: killed at any point, a tenant is at the version before a step or
//! after it. What happened is kept in a ledger, from which the next run goes on.

mod catalogue;
mod cell;
mod compact;
mod control;
mod drift;
mod error;
mod event;
mod fleet;
mod gate;
mod homes;
mod ledger;
mod options;
mod outside;
mod plan;
mod rehearse;
mod repair;
mod servers;
mod snapshot;
mod tenant;
mod up;
mod waves;

pub use catalogue::{Kind, Object};
pub use cell::{CellError, add_cell, cell_version};
pub use drift::{Difference, Drift, Drifted};
pub use error::MigrateError;
pub use event::{Event, Outcome, Report, Waiting};
pub use fleet::{CellVersion, Fleet, TenantVersion};
pub use options::{Options, Selection};
pub use plan::{Plan, PlannedLock, PlannedStatement, PlannedStep};
pub use rehearse::Rehearsed;
pub use repair::{Repair, repair};
pub use up::{Listener, RUN_LOCK};
pub use waves::{InvalidWaves, Waves};

use praxis_migration::{Step, Steps};
use praxis_platform::tenancy::{Cells, MAIN};
use sea_orm::DatabaseConnection;

/// The steps of both schemas, and how to apply them to an installation.
///
/// The lists are given, not compiled in, so that a test can add a step of its own.
pub struct Migrator {
    control: Steps,
    tenant: Steps,
    cells: Cells,
}

impl Migrator {
    /// A migrator with the steps this build was made with.
    pub fn new(cells: impl Into<Cells>) -> Self {
        Self::with_steps(cells, praxis_migration::control::steps(), praxis_migration::tenant::steps())
    }

    /// A migrator with steps of one's own.
    pub fn with_steps(cells: impl Into<Cells>, control: Steps, tenant: Steps) -> Self {
        Self { control, tenant, cells: cells.into() }
    }

    /// The version that every tenant is brought to.
    pub fn tenant_target(&self) -> i32 {
        version_of(&self.tenant)
    }

    /// The version that the control schema is brought to.
    pub fn control_target(&self) -> i32 {
        version_of(&self.control)
    }

    /// The version that every cell is brought to.
    pub fn cell_target(&self) -> i32 {
        version_of(&praxis_migration::cell::steps())
    }

    /// The cells that it knows the addresses of.
    pub fn cells(&self) -> &Cells {
        &self.cells
    }

    /// Connections to the control database with the operator's rights.
    async fn connect(&self, connections: u32) -> Result<DatabaseConnection, MigrateError> {
        self.connect_to(MAIN, connections).await
    }
}

/// A schema's version is the number of steps applied to it.
fn version_of(steps: &Steps) -> i32 {
    i32::try_from(steps.len()).unwrap_or(i32::MAX)
}

/// The steps that follow a version, each with the version it leads to.
fn steps_after(steps: &Steps, version: i32) -> impl Iterator<Item = (i32, &Step)> {
    (1..).zip(steps).skip(usize::try_from(version).unwrap_or(0))
}
