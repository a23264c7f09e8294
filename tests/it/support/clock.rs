//! A clock that a test moves.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use praxis_platform::clock::{Clock, SystemClock};
use uuid::Uuid;

/// Runs as the machine's clock does, but ahead of it by what it was moved. Never goes back.
#[derive(Default)]
pub struct TestClock {
    ahead: Mutex<TimeDelta>,
}

impl TestClock {
    /// Moves time forward.
    pub fn advance(&self, by: TimeDelta) {
        assert!(by >= TimeDelta::zero(), "time does not go back");
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }

    /// Moves time forward to an instant.
    pub fn advance_to(&self, instant: DateTime<Utc>) {
        self.advance(instant - self.now());
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + *self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn new_id(&self) -> Uuid {
        SystemClock.new_id()
    }
}
