//! How a run was asked for.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Waves;

/// Which clinics a run is about; all that are behind when nothing is said.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Only the clinics of these slugs.
    pub tenants: Vec<String>,
    /// Only clinics whose slug is like this; `*` stands for any letters, `?` for one.
    pub matching: Option<String>,
    /// Only what an earlier run left undone.
    pub resume: Option<Uuid>,
}

/// How to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Which clinics.
    pub selection: Selection,
    /// How many at a time, 1 to 64.
    pub parallel: usize,
    /// In which order.
    pub waves: Waves,
    /// After how many clinics that could not be migrated no other one is begun.
    pub max_failures: usize,
    /// A command of the shell that is asked between two waves; the next one is begun when it ends well. It finds the
    /// run in `PRAXIS_RUN` and the wave that ended in `PRAXIS_WAVE`.
    pub gate: Option<String>,
    /// How long a statement may wait for a lock before its step is tried again later.
    pub lock_timeout: Duration,
    /// How long a statement may take; no limit when zero.
    pub statement_timeout: Duration,
    /// Leave out steps that take something away, and all after the first of them.
    pub expand_only: bool,
    /// Cancelled to finish what is under way and begin nothing more.
    pub interrupt: CancellationToken,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            selection: Selection::default(),
            parallel: 4,
            waves: Waves::default(),
            max_failures: 0,
            gate: None,
            lock_timeout: Duration::from_millis(500),
            statement_timeout: Duration::ZERO,
            expand_only: false,
            interrupt: CancellationToken::new(),
        }
    }
}
