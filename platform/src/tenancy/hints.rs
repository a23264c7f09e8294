//! The cells in the order in which they are asked who has work, each with connections of its own for that.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use super::cells::{CellUnknown, MAIN};

/// How long a cell that did not answer is left alone: the others are not to wait for it each time.
const LEFT_ALONE: Duration = Duration::from_secs(5);
/// How long the others wait for a cell that does not answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where each cell says who has work waiting.
pub(super) struct Hints {
    cells: Vec<CellHints>,
    next: AtomicUsize,
}

/// The hints of one cell.
pub(super) struct CellHints {
    /// Its name.
    pub(super) cell: String,
    /// Connections as the control role.
    pub(super) pool: PgPool,
    away_until: Mutex<Option<Instant>>,
}

impl Hints {
    /// Those of the control database, over its pool, and those of further cells, by how the control role connects there.
    pub(super) fn new(main: PgPool, further: Vec<(&str, PgConnectOptions)>) -> Self {
        let hints =
            |cell: &str, pool| CellHints { cell: cell.to_owned(), pool, away_until: Mutex::new(None) };
        let pool = |options| {
            PgPoolOptions::new().max_connections(4).acquire_timeout(PATIENCE).connect_lazy_with(options)
        };
        let further = further.into_iter().map(|(cell, options)| hints(cell, pool(options)));
        Self {
            cells: std::iter::once(hints(MAIN, main.clone())).chain(further).collect(),
            next: AtomicUsize::new(0),
        }
    }

    /// All cells but those that were away a moment ago, from another one on each time: a cell with much work does not
    /// keep the others from theirs.
    pub(super) fn in_turn(&self) -> impl Iterator<Item = &CellHints> {
        let first = self.next.fetch_add(1, Ordering::Relaxed) % self.cells.len().max(1);
        let (before, from) = self.cells.split_at_checked(first).unwrap_or_default();
        from.iter().chain(before).filter(|cell| !cell.is_away())
    }

    /// Those of a cell.
    pub(super) fn of(&self, cell: &str) -> Result<&CellHints, CellUnknown> {
        self.cells.iter().find(|hints| hints.cell == cell).ok_or_else(|| CellUnknown(cell.to_owned()))
    }
}

impl CellHints {
    fn is_away(&self) -> bool {
        let until = *self.away_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    /// Says that a cell could not be asked. The control database is asked each time: without it there is nothing to do.
    pub(super) fn failed(&self, error: &sqlx::Error) {
        tracing::warn!(cell = %self.cell, %error, "a cell can't say at the moment who has work");
        if self.cell != MAIN {
            let until = Instant::now().checked_add(LEFT_ALONE);
            *self.away_until.lock().unwrap_or_else(PoisonError::into_inner) = until;
        }
    }
}
