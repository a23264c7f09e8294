//! The buckets that this server keeps: all of them without Redis, and what it saw last with it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use moka::sync::Cache;

use super::{Bucket, Standing, Verdict, bucket};

/// Who has many names cannot take more memory than this many buckets.
const BUCKETS: u64 = 200_000;
/// A bucket that nobody asked for so long is full again, or as good as.
const FORGOTTEN: Duration = Duration::from_secs(15 * 60);

/// What is known of a bucket.
#[derive(Debug, Clone, Copy)]
struct Level {
    level: i64,
    at: i64,
    /// Something was taken here that Redis does not know of.
    apart: bool,
}

/// What this server knows of a bucket, told to Redis when it may know less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// What would be in it.
    pub level: i64,
    /// Redis does not know of something that was taken.
    pub apart: bool,
}

/// Buckets in memory.
pub struct Local(Cache<String, Arc<Mutex<Level>>>);

impl Default for Local {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(BUCKETS).time_to_idle(FORGOTTEN).build())
    }
}

impl Local {
    /// Takes from all buckets, or from none; `now` in milliseconds.
    pub fn take(&self, buckets: &[Bucket], cost: i64, now: i64) -> Verdict {
        let entries = self.entries(buckets, now);
        // Always in the order clinic, client, caller, so that no two wait for each other.
        let mut held: Vec<MutexGuard<'_, Level>> =
            entries.iter().map(|entry| entry.lock().unwrap_or_else(PoisonError::into_inner)).collect();
        let mut wait = Duration::ZERO;
        for (bucket, held) in buckets.iter().zip(&mut held) {
            held.level = bucket::restored(bucket.rate, held.level, now - held.at);
            held.at = held.at.max(now);
            wait = wait.max(bucket::wait(bucket.rate, held.level, cost));
        }
        if wait.is_zero() {
            for (bucket, held) in buckets.iter().zip(&mut held) {
                held.level = bucket::spend(bucket.rate, held.level, cost);
                held.apart = true;
            }
        }
        let standings = buckets.iter().zip(&held).map(|(bucket, held)| standing(bucket, held.level));
        Verdict { wait, standings: standings.collect() }
    }

    /// What is known of the buckets.
    pub(super) fn look(&self, buckets: &[Bucket], now: i64) -> Vec<Known> {
        let known = |bucket: &Bucket| {
            let Some(entry) = self.0.get(&bucket.key) else {
                return Known { level: bucket.rate.capacity(), apart: false };
            };
            let held = *entry.lock().unwrap_or_else(PoisonError::into_inner);
            Known { level: bucket::restored(bucket.rate, held.level, now - held.at), apart: held.apart }
        };
        buckets.iter().map(known).collect()
    }

    /// How the buckets stand for somebody who wants a single point.
    pub(super) fn standing(&self, buckets: &[Bucket], now: i64) -> Verdict {
        let known = self.look(buckets, now);
        let wait = buckets.iter().zip(&known).map(|(of, known)| bucket::wait(of.rate, known.level, 1_000));
        let wait = wait.max().unwrap_or_default();
        let standings = buckets.iter().zip(&known).map(|(bucket, known)| standing(bucket, known.level));
        Verdict { wait, standings: standings.collect() }
    }

    /// Takes over what Redis said.
    pub(super) fn mirror(&self, buckets: &[Bucket], verdict: &Verdict, now: i64) {
        for (entry, standing) in self.entries(buckets, now).iter().zip(&verdict.standings) {
            let mut held = entry.lock().unwrap_or_else(PoisonError::into_inner);
            *held = Level { level: standing.level, at: now, apart: false };
        }
    }

    fn entries(&self, buckets: &[Bucket], now: i64) -> Vec<Arc<Mutex<Level>>> {
        let entry = |bucket: &Bucket| {
            let full =
                || Arc::new(Mutex::new(Level { level: bucket.rate.capacity(), at: now, apart: false }));
            self.0.get_with_by_ref(&bucket.key, full)
        };
        buckets.iter().map(entry).collect()
    }
}

fn standing(bucket: &Bucket, level: i64) -> Standing {
    Standing { scope: bucket.scope, rate: bucket.rate, level }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Rate, Scope},
        *,
    };

    fn bucket(key: &str, points: u32) -> Bucket {
        Bucket { scope: Scope::Actor, key: key.to_owned(), rate: Rate { points, restore: 10 } }
    }

    #[test]
    fn points_are_taken_from_all_buckets_or_from_none() {
        let local = Local::default();
        let both = [bucket("wide", 100), bucket("narrow", 20)];
        assert!(local.take(&both, 15_000, 0).allowed());
        let refused = local.take(&both, 15_000, 0);
        assert_eq!(refused.wait, Duration::from_secs(1));
        let left: Vec<_> = refused.standings.iter().map(Standing::available).collect();
        assert_eq!(left, [85, 5]);
        assert_eq!(refused.tightest().map(Standing::available), Some(5));
        assert!(local.take(&both, 15_000, 1_000).allowed());
    }

    #[test]
    fn what_is_larger_than_the_bucket_leaves_a_debt() {
        let local = Local::default();
        let one = [bucket("a", 20)];
        let verdict = local.take(&one, 50_000, 0);
        assert!(verdict.allowed());
        assert_eq!(verdict.tightest().map(|standing| standing.level), Some(-30_000));
        assert_eq!(local.take(&one, 1_000, 0).wait, Duration::from_millis(3_100));
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing() {
        let local = Local::default();
        let one = [bucket("a", 20)];
        assert!(local.take(&one, 20_000, 10_000).allowed());
        assert!(!local.take(&one, 1_000, 0).allowed());
        assert!(!local.take(&one, 1_000, 10_000).allowed());
        assert!(local.take(&one, 1_000, 10_100).allowed());
    }
}
