//! The buckets in Redis: one script, run as one step, with the time of Redis.

use std::{sync::Arc, time::Duration};

use redis::Script;

use super::{Bucket, Standing, Verdict, local::Known};
use crate::redis::Redis;

/// Buckets in Redis.
#[derive(Clone)]
pub struct Shared {
    redis: Redis,
    script: Arc<Script>,
}

impl Shared {
    /// Buckets in this Redis.
    pub fn new(redis: Redis) -> Self {
        Self { redis, script: Arc::new(Script::new(include_str!("take.lua"))) }
    }

    /// True while Redis is not asked.
    pub fn is_away(&self) -> bool {
        self.redis.is_away()
    }

    /// Takes thousandths from all buckets, or from none; `None` when Redis is away.
    ///
    /// `now` stands for the time of Redis in tests.
    pub async fn take(
        &self,
        buckets: &[Bucket],
        cost: i64,
        known: &[Known],
        now: Option<i64>,
    ) -> Option<Verdict> {
        let mut call = self.script.prepare_invoke();
        call.arg(cost).arg(now.map(|now| now.to_string()).unwrap_or_default());
        for (bucket, known) in buckets.iter().zip(known) {
            call.key(format!("praxis:rate:{}", bucket.key));
            call.arg(bucket.rate.capacity()).arg(bucket.rate.speed());
            call.arg(known.level).arg(u8::from(known.apart));
        }
        let answer: Vec<i64> = self.redis.ask(async |connection| call.invoke_async(connection).await).await?;
        let (wait, levels) = answer.split_first()?;
        let standings = buckets.iter().zip(levels).map(|(bucket, level)| Standing {
            scope: bucket.scope,
            rate: bucket.rate,
            level: *level,
        });
        Some(Verdict { wait: Duration::from_millis(wait.unsigned_abs()), standings: standings.collect() })
    }
}
