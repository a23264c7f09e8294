//! Time and ids, injected, so that a test can hold them still.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Where the current time and new ids come from.
pub trait Clock: Send + Sync + 'static {
    /// The current instant.
    fn now(&self) -> DateTime<Utc>;
    /// A new time-ordered id (UUIDv7).
    fn new_id(&self) -> Uuid;
}

/// A shared clock.
pub type SharedClock = Arc<dyn Clock>;

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the machine's clock and randomness for ids"
)]
impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn new_id(&self) -> Uuid {
        Uuid::now_v7()
    }
}
