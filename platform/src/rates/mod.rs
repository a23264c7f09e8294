//! How fast somebody may ask: buckets of points that fill up again.
//!
//! An operation is paid for from several buckets at once (the clinic's, the client's, the caller's):
//! from all of them or from none. The buckets are in Redis, where all servers see them, when there is
//! one and it answers; otherwise each server keeps its own, from the level that it saw last. So the
//! switch gives nothing away; while Redis is away, n servers together let n times the rate through.
//! When it comes back, the first to ask brings along what was spent meanwhile.

mod bucket;
mod local;
mod shared;

use std::{net::IpAddr, time::Duration};

pub use bucket::{Bucket, Rate, Scope};
pub use local::{Known, Local};
pub use shared::Shared;

use crate::{clock::SharedClock, redis::Redis};

/// Where a bucket stands after it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Whose bucket.
    pub scope: Scope,
    /// How it fills.
    pub rate: Rate,
    /// What is in it, in thousandths of a point; below zero after an operation larger than the bucket.
    pub level: i64,
}

impl Standing {
    /// Whole points that are left.
    pub fn available(&self) -> u32 {
        u32::try_from(self.level.max(0) / 1_000).unwrap_or(u32::MAX)
    }

    /// Until the bucket is full again.
    pub fn full_in(&self) -> Duration {
        self.rate.time_for(self.rate.capacity() - self.level)
    }
}

/// Whether an operation may run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// How long to wait before it may; zero when it may now.
    pub wait: Duration,
    /// All buckets that were asked.
    pub standings: Vec<Standing>,
}

impl Verdict {
    /// True when the points were taken.
    pub fn allowed(&self) -> bool {
        self.wait.is_zero()
    }

    /// The bucket that is emptiest for its size.
    pub fn tightest(&self) -> Option<&Standing> {
        let share = |standing: &Standing| {
            i128::from(standing.level) * 1_000_000 / i128::from(standing.rate.capacity())
        };
        self.standings.iter().min_by_key(|standing| share(standing))
    }

    /// How it stands once points are given back.
    pub fn after_return(&mut self, points: u64) {
        for standing in &mut self.standings {
            standing.level = bucket::spend(standing.rate, standing.level, -bucket::thousandths(points));
        }
    }
}

/// All buckets.
pub struct Rates {
    local: Local,
    shared: Option<Shared>,
    clock: SharedClock,
}

impl Rates {
    /// Buckets in Redis when there is one, and here.
    pub fn new(clock: SharedClock, redis: Option<Redis>) -> Self {
        Self { local: Local::default(), shared: redis.map(Shared::new), clock }
    }

    /// Takes points from all buckets, or from none when one has too few.
    pub async fn take(&self, buckets: &[Bucket], points: u64) -> Verdict {
        let cost = bucket::thousandths(points);
        if let Some(shared) = self.shared_for(buckets) {
            let known = self.local.look(buckets, self.now());
            if let Some(verdict) = shared.take(buckets, cost, &known, None).await {
                self.local.mirror(buckets, &verdict, self.now());
                return verdict;
            }
        }
        self.local.take(buckets, cost, self.now())
    }

    /// Gives points back that an operation was charged and did not use. Nobody waits for it.
    pub fn give_back(&self, buckets: Vec<Bucket>, points: u64) {
        self.later(buckets, -bucket::thousandths(points));
    }

    /// Takes points for work that was refused already, as far as they are there. Nobody waits for it.
    pub fn charge(&self, buckets: Vec<Bucket>, points: u64) {
        self.later(buckets, bucket::thousandths(points));
    }

    /// How long to wait, as far as this server knows, until there is anything in the buckets at all.
    pub fn exhausted(&self, buckets: &[Bucket]) -> Option<Verdict> {
        let verdict = self.local.standing(buckets, self.now());
        (!verdict.allowed()).then_some(verdict)
    }

    fn later(&self, buckets: Vec<Bucket>, cost: i64) {
        if cost == 0 {
            return;
        }
        match self.shared_for(&buckets) {
            Some(shared) => {
                let (shared, known) = (shared.clone(), self.local.look(&buckets, self.now()));
                tokio::spawn(async move {
                    shared.take(&buckets, cost, &known, None).await;
                });
            }
            None => {
                self.local.take(&buckets, cost, self.now());
            }
        }
    }

    /// Where a stranger's bucket is concerned, only this server is asked: an address is nobody's business.
    fn shared_for(&self, buckets: &[Bucket]) -> Option<&Shared> {
        let strangers = buckets.iter().any(|bucket| bucket.scope == Scope::Stranger);
        self.shared.as_ref().filter(|shared| !strangers && !shared.is_away())
    }

    fn now(&self) -> i64 {
        self.clock.now().timestamp_millis()
    }
}

/// The part of an address that one customer of a provider has: of IPv6 a whole /64.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}
