//! Which clinics have entries to be sealed, so that nobody asks the clinics that have none.
//!
//! Held in memory: each server remembers what it wrote itself. What a killed server left behind is
//! found by the slow round that the sealer makes. Attempts of nobody in particular are counted here
//! as well, and become one entry per clinic and round: a stranger can't fill the log.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use praxis_entity::ids::TenantId;
use tokio::sync::Notify;

use super::Heads;

/// So many entries are sealed without waiting for the next round.
pub const FULL: u32 = 1_000;

/// What waits at one clinic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Entries to be sealed.
    pub entries: u32,
    /// Attempts of nobody in particular: action, and how often.
    pub strangers: HashMap<&'static str, u32>,
}

/// Which clinics have entries to be sealed.
#[derive(Debug, Default)]
pub struct Backlog {
    waiting: Mutex<HashMap<TenantId, Waiting>>,
    full: Notify,
    heads: Heads,
}

impl Backlog {
    fn waiting(&self) -> MutexGuard<'_, HashMap<TenantId, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that entries were written.
    pub fn note(&self, tenant: TenantId, entries: u32) {
        if entries == 0 {
            return;
        }
        let mut waiting = self.waiting();
        let waiting = waiting.entry(tenant).or_default();
        let before = waiting.entries;
        waiting.entries = before.saturating_add(entries);
        if before < FULL && waiting.entries >= FULL {
            self.full.notify_one();
        }
    }

    /// Counts an attempt of somebody who is not known.
    pub fn count_stranger(&self, tenant: TenantId, action: &'static str) {
        let mut waiting = self.waiting();
        let times = waiting.entry(tenant).or_default().strangers.entry(action).or_default();
        *times = times.saturating_add(1);
    }

    /// Counts attempts again that could not be written down.
    pub fn give_back(&self, tenant: TenantId, strangers: &HashMap<&'static str, u32>) {
        if strangers.is_empty() {
            return;
        }
        let mut waiting = self.waiting();
        let counted = &mut waiting.entry(tenant).or_default().strangers;
        for (action, more) in strangers {
            let times = counted.entry(action).or_default();
            *times = times.saturating_add(*more);
        }
    }

    /// How far the logs were sealed, as far as this server saw.
    pub fn heads(&self) -> &Heads {
        &self.heads
    }

    /// Takes everything that waits.
    pub fn take(&self) -> HashMap<TenantId, Waiting> {
        std::mem::take(&mut *self.waiting())
    }

    /// Takes what waits at clinics that have more than a round should wait for.
    pub fn take_full(&self) -> HashMap<TenantId, Waiting> {
        self.waiting().extract_if(|_, waiting| waiting.entries >= FULL).collect()
    }

    /// Returns when some clinic has that much.
    pub async fn full(&self) {
        self.full.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn strangers_are_counted_and_not_listed() {
        let (backlog, tenant) = (Backlog::default(), TenantId(Uuid::nil()));
        for _ in 0..1_000 {
            backlog.count_stranger(tenant, "throttled");
        }
        let taken = backlog.take();
        assert_eq!(taken[&tenant].strangers, HashMap::from([("throttled", 1_000)]));
        assert!(backlog.take().is_empty());
        // What could not be written down adds up with what came since.
        backlog.count_stranger(tenant, "throttled");
        backlog.give_back(tenant, &taken[&tenant].strangers);
        assert_eq!(backlog.take()[&tenant].strangers, HashMap::from([("throttled", 1_001)]));
    }

    #[tokio::test]
    async fn a_full_clinic_is_taken_at_once_and_others_wait() {
        let (backlog, busy, quiet) =
            (Backlog::default(), TenantId(Uuid::nil()), TenantId(Uuid::from_u128(1)));
        backlog.note(quiet, 1);
        for _ in 0..FULL {
            backlog.note(busy, 1);
        }
        backlog.full().await;
        assert_eq!(backlog.take_full().into_keys().collect::<Vec<_>>(), [busy]);
        assert_eq!(backlog.take().into_keys().collect::<Vec<_>>(), [quiet]);
    }
}
