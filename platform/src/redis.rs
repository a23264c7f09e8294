//! What several servers share and none depends on: Redis, with a circuit breaker before it.
//!
//! A question waits fifty milliseconds at the most. The first that goes wrong opens the breaker:
//! from then on nobody asks, until a probe in the background has found Redis well again. Whoever
//! asks has an answer of their own for the time without. No PHI goes there, not even as a key.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use redis::{
    Client, FromRedisValue, RedisResult,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use tokio::time::{sleep, timeout};

/// How long a request waits for Redis, once.
pub const PATIENCE: Duration = Duration::from_millis(50);
/// How often Redis is looked for while it is away.
const PROBE: Duration = Duration::from_millis(100);
/// How long a probe may take: a connection is made, perhaps with TLS.
const PROBE_PATIENCE: Duration = Duration::from_millis(500);
/// Questions under way at once; beyond it they queue, and the breaker judges the wait.
const UNDER_WAY: usize = 1_024;

/// The address is not one of Redis.
#[derive(Debug, thiserror::Error)]
#[error("not an address of Redis")]
pub struct InvalidAddress;

/// A connection that comes back by itself.
#[derive(Clone)]
pub struct Redis {
    connection: ConnectionManager,
    away: Arc<AtomicBool>,
    patience: Duration,
}

impl Redis {
    /// Whether an address can be read; says nothing of whether anybody is there.
    pub fn check(url: &str) -> Result<(), InvalidAddress> {
        // What is wrong with it may quote the password.
        Client::open(url).map(drop).map_err(|_| InvalidAddress)
    }

    /// Connects, if Redis is there now; otherwise as soon as it is.
    pub async fn open(url: &str) -> Result<Self, InvalidAddress> {
        let client = Client::open(url).map_err(|_| InvalidAddress)?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(PROBE_PATIENCE))
            .set_response_timeout(Some(PROBE_PATIENCE))
            // The probe tries again; a request that found the connection dead need not wait for it.
            .set_number_of_retries(0)
            .set_pipeline_buffer_size(UNDER_WAY);
        let connection =
            ConnectionManager::new_lazy_with_config(client, config).map_err(|_| InvalidAddress)?;
        let redis = Self { connection, away: Arc::new(AtomicBool::new(false)), patience: PATIENCE };
        if !redis.answers().await {
            redis.lost("no answer at start");
        }
        Ok(redis)
    }

    /// With more patience, where nobody waits for the answer.
    #[must_use]
    pub fn patient(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// True while nobody asks.
    pub fn is_away(&self) -> bool {
        self.away.load(Ordering::Acquire)
    }

    /// Asks; `None` when Redis is away, whatever the reason. Then the asker goes on without.
    pub async fn ask<T: FromRedisValue>(
        &self,
        question: impl AsyncFnOnce(&mut ConnectionManager) -> RedisResult<T>,
    ) -> Option<T> {
        if self.is_away() {
            return None;
        }
        let mut connection = self.connection.clone();
        match timeout(self.patience, question(&mut connection)).await {
            Ok(Ok(answer)) => Some(answer),
            // An error's text may quote what was asked; its kind is enough.
            Ok(Err(error)) => {
                self.lost(&format!("{:?}", error.kind()));
                None
            }
            Err(_) => {
                self.lost("no answer in time");
                None
            }
        }
    }

    /// Opens the breaker, and looks for Redis until it answers.
    fn lost(&self, reason: &str) {
        if self.away.swap(true, Ordering::AcqRel) {
            return;
        }
        tracing::warn!(reason, "Redis is away; limits are kept by each server for itself");
        let (connection, away) = (self.connection.clone(), Arc::downgrade(&self.away));
        tokio::spawn(async move {
            loop {
                sleep(PROBE).await;
                // Nobody is left to ask.
                let Some(away) = away.upgrade() else { return };
                if ping(connection.clone()).await {
                    away.store(false, Ordering::Release);
                    tracing::info!("Redis is back");
                    return;
                }
            }
        });
    }

    async fn answers(&self) -> bool {
        ping(self.connection.clone()).await
    }
}

async fn ping(mut connection: ConnectionManager) -> bool {
    // A write as well: a replica answers a PING and takes no limits.
    let mut probe = redis::pipe();
    probe.cmd("PING").ignore().cmd("SET").arg("praxis:probe").arg(1).arg("EX").arg(60).ignore();
    timeout(PROBE_PATIENCE, probe.query_async::<()>(&mut connection)).await.is_ok_and(|answer| answer.is_ok())
}
