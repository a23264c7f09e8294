//! The arithmetic of a bucket, in whole thousandths of a point and whole milliseconds, so that the
//! script in Redis and this code never differ by a rounding.

use std::time::Duration;

/// How a bucket fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Points it holds: what can be spent at once.
    pub points: u32,
    /// Points that come back each second; at least one.
    pub restore: u32,
}

impl Rate {
    /// What it holds, in thousandths.
    pub(super) fn capacity(self) -> i64 {
        i64::from(self.points.max(1)) * 1_000
    }

    /// Thousandths for each millisecond, which is points for each second.
    pub(super) fn speed(self) -> i64 {
        i64::from(self.restore.max(1))
    }

    /// How long so many thousandths take to come back.
    pub(super) fn time_for(self, missing: i64) -> Duration {
        let millis = missing.max(0).unsigned_abs().div_ceil(self.speed().unsigned_abs());
        Duration::from_millis(millis)
    }

    /// The rounded-up seconds in which an empty bucket is full.
    pub fn window(self) -> u64 {
        self.time_for(self.capacity()).as_millis().div_ceil(1_000).try_into().unwrap_or(u64::MAX)
    }
}

/// Whose bucket it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The whole clinic's.
    Tenant,
    /// A program's.
    Client,
    /// A person's.
    Actor,
    /// Somebody's who has not signed in, known by their address.
    Stranger,
}

impl Scope {
    /// The name in headers and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Client => "client",
            Self::Actor => "actor",
            Self::Stranger => "address",
        }
    }
}

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Whose.
    pub scope: Scope,
    /// Which, among all of all clinics. Ids only.
    pub key: String,
    /// How it fills.
    pub rate: Rate,
}

/// Points as thousandths; what is beyond all reason is cut off.
pub(super) fn thousandths(points: u64) -> i64 {
    i64::try_from(points.min(1_000_000_000_000)).unwrap_or(i64::MAX).saturating_mul(1_000)
}

/// What is in a bucket after a while.
pub(super) fn restored(rate: Rate, level: i64, elapsed: i64) -> i64 {
    level.saturating_add(elapsed.max(0).saturating_mul(rate.speed())).min(rate.capacity())
}

/// What is in it after something was taken, or given back.
pub(super) fn spend(rate: Rate, level: i64, cost: i64) -> i64 {
    level.saturating_sub(cost).min(rate.capacity())
}

/// How long to wait until something can be taken. What is larger than the bucket can be taken from a
/// full one, and leaves a debt.
pub(super) fn wait(rate: Rate, level: i64, cost: i64) -> Duration {
    rate.time_for(cost.min(rate.capacity()) - level)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn never_more_is_spent_than_was_there_and_came_back(
            points in 1_u32..5_000, restore in 1_u32..2_000,
            asks in prop::collection::vec((0_i64..3_000, 0_u64..4_000), 1..60),
        ) {
            let rate = Rate { points, restore };
            let (mut level, mut spent, mut time) = (rate.capacity(), 0_i64, 0_i64);
            for (elapsed, cost) in asks {
                time += elapsed;
                level = restored(rate, level, elapsed);
                let cost = thousandths(cost);
                if wait(rate, level, cost).is_zero() {
                    // Only what is larger than the bucket can overdraw it, once.
                    prop_assert!(level >= cost || level == rate.capacity());
                    level = spend(rate, level, cost);
                    spent += cost.min(rate.capacity());
                }
                prop_assert!(level <= rate.capacity());
                prop_assert!(spent <= rate.capacity() + time * rate.speed());
            }
        }

        #[test]
        fn who_waits_as_told_is_let_in(points in 1_u32..5_000, restore in 1_u32..2_000, level in -9_000_000_i64..5_000_000, cost in 0_u64..9_000) {
            let rate = Rate { points, restore };
            let (level, cost) = (level.min(rate.capacity()), thousandths(cost));
            let told = i64::try_from(wait(rate, level, cost).as_millis()).unwrap();
            prop_assert!(wait(rate, restored(rate, level, told), cost).is_zero());
            prop_assert!(told == 0 || !wait(rate, restored(rate, level, told - 1), cost).is_zero());
        }
    }
}
