//! What happened in a run, as it happens and in sum.

use serde::Serialize;
use uuid::Uuid;

/// What happened in a run.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The control schema was brought forward.
    Control {
        /// The steps that were applied.
        steps: Vec<String>,
    },
    /// A cell could not be brought forward; its tenants are left as they are, or fail one by one.
    CellAway {
        /// The cell.
        cell: String,
        /// Why.
        error: String,
    },
    /// A run over tenants began.
    Started {
        /// Its id in the ledger.
        run: Uuid,
        /// How many tenants it is about.
        tenants: usize,
        /// Runs that had ended without saying so, and which this one continues.
        continues: Vec<Uuid>,
    },
    /// A wave began.
    Wave {
        /// Its name, or else its number.
        wave: String,
        /// How many tenants are in it.
        tenants: usize,
    },
    /// A tenant is at the target version.
    Migrated {
        /// Subdomain.
        tenant: String,
        /// Version before.
        from: i32,
        /// Version now.
        to: i32,
        /// How often the step that was tried most often was tried.
        attempts: u32,
        /// How long it took, waiting included.
        duration_ms: u128,
    },
    /// A tenant could not be migrated and is at the version before the step that failed.
    Failed {
        /// Subdomain.
        tenant: String,
        /// How often that step was tried.
        attempts: u32,
        /// Why.
        error: String,
    },
    /// The gate between two waves stayed shut: no other wave is begun.
    GateShut {
        /// The wave after which it was asked.
        wave: String,
        /// What it said.
        error: String,
    },
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything is at its version.
    Done,
    /// Everything that may be is; a step that takes something away waits for servers that use it.
    Waiting,
    /// Some tenants are, some are not.
    Partial,
    /// None that had to be is.
    Failed,
    /// It was told to stop.
    Interrupted,
}

/// A step that takes away what a server uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// The step.
    pub step: String,
    /// The oldest build that works on after it.
    pub needs: i32,
    /// The oldest build of a server that was seen lately; none where only `expand_only` holds the step up.
    pub oldest_server: Option<i32>,
}

/// The sum of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// How it ended.
    pub outcome: Outcome,
    /// Id in the ledger; none when there was nothing to do for tenants.
    pub run: Option<Uuid>,
    /// Control steps applied.
    pub control: Vec<String>,
    /// Tenants brought to the target.
    pub migrated: usize,
    /// Tenants that could not be.
    pub failed: usize,
    /// Tenants not begun.
    pub remaining: usize,
    /// The version that tenants were brought to.
    pub target: i32,
    /// Cells that could not be brought forward.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub away: Vec<String>,
    /// The step that was not begun, where one waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
}
