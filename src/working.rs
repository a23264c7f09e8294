//! The loop of a worker, on every server; the database sees to it that each piece of work is in one hand.
//!
//! Clinics take turns: who has work gets one bounded turn, and goes behind the others for the next one. So a clinic
//! with much to do, or one whose work is slow, holds up one of the places and not the others.

use std::{collections::HashSet, future::Future, sync::Arc, time::Duration};

use praxis_entity::ids::TenantId;
use praxis_platform::{
    Failure, Platform,
    jobs::{Outcome, Ran, Worker},
    mail::{Mailer, Sent},
    tenancy::{Queue, Woken},
};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

/// How soon work of another server is noticed.
const TICK: Duration = Duration::from_millis(500);
/// How soon a new clinic has its recurring work.
const PLAN: Duration = Duration::from_secs(10);
/// Tenants that have their turn at the same time.
const TENANTS: usize = 8;

/// Does the work of a queue, a turn of one tenant at a time.
pub trait TakesTurns: Send + Sync + 'static {
    /// The queue.
    const QUEUE: Queue;

    /// Where work of this process is announced.
    fn platform(&self) -> &Platform;

    /// Tenants that have work due.
    fn ready(
        &self,
        most: usize,
        busy: &[TenantId],
    ) -> impl Future<Output = Result<Vec<Woken>, Failure>> + Send;

    /// One turn.
    fn turn(&self, woken: &Woken) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Nothing further is to be begun.
    fn stop(&self) {}
}

/// Works until told to stop, then lets what is under way finish.
pub async fn run<W: TakesTurns>(worker: Arc<W>, stop: CancellationToken) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut under_way, mut busy) = (JoinSet::new(), HashSet::new());
    let mut full = false;
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(ended) = under_way.join_next() => {
                let ended: Result<TenantId, _> = ended;
                match ended {
                    Ok(tenant) => drop(busy.remove(&tenant)),
                    // Which one it was is not told; nobody else is held up by it.
                    Err(_) if under_way.is_empty() => busy.clear(),
                    Err(_) => {}
                }
            }
            () = worker.platform().bell.rung(W::QUEUE), if !full => {}
            _ = ticks.tick() => {}
        }
        full = under_way.len() >= TENANTS;
        if full {
            continue;
        }
        let serving: Vec<TenantId> = busy.iter().copied().collect();
        match worker.ready(TENANTS - under_way.len(), &serving).await {
            Ok(woken) => {
                for woken in woken {
                    busy.insert(woken.tenant);
                    under_way.spawn(turn(Arc::clone(&worker), woken));
                }
            }
            Err(error) => {
                tracing::warn!(queue = W::QUEUE.code(), %error, "nobody can say who has work at the moment");
            }
        }
        full = under_way.len() >= TENANTS;
    }
    worker.stop();
    while under_way.join_next().await.is_some() {}
}

async fn turn<W: TakesTurns>(worker: Arc<W>, woken: Woken) -> TenantId {
    if let Err(error) = worker.turn(&woken).await {
        tracing::warn!(tenant = %woken.tenant, queue = W::QUEUE.code(), %error, "work can't be done at the moment");
    }
    woken.tenant
}

impl TakesTurns for Mailer {
    const QUEUE: Queue = Queue::Mail;

    fn platform(&self) -> &Platform {
        &self.platform
    }

    async fn ready(&self, most: usize, busy: &[TenantId]) -> Result<Vec<Woken>, Failure> {
        Self::ready(self, most, busy).await
    }

    async fn turn(&self, woken: &Woken) -> Result<(), Failure> {
        let Sent { sent, postponed, dead } = self.serve(woken).await?;
        for (result, mails) in [("sent", sent), ("postponed", postponed), ("dead", dead)] {
            ::metrics::counter!("praxis_mails_total", "result" => result).increment(u64::from(mails));
        }
        Ok(())
    }
}

impl TakesTurns for Worker {
    const QUEUE: Queue = Queue::Jobs;

    fn platform(&self) -> &Platform {
        &self.platform
    }

    async fn ready(&self, most: usize, busy: &[TenantId]) -> Result<Vec<Woken>, Failure> {
        Self::ready(self, most, busy).await
    }

    async fn turn(&self, woken: &Woken) -> Result<(), Failure> {
        for Ran { name, result, waited, took } in self.serve(woken).await? {
            let result = match result {
                Outcome::Done => "done",
                Outcome::Postponed => "postponed",
                Outcome::Dead => "dead",
                Outcome::Lost => "lost",
            };
            let labels = [("name", name), ("result", result.to_owned())];
            ::metrics::counter!("praxis_jobs_total", &labels).increment(1);
            ::metrics::histogram!("praxis_job_seconds", &labels).record(took.as_secs_f64());
            if let Some(waited) = waited {
                ::metrics::histogram!("praxis_job_wait_seconds").record(waited.as_secs_f64());
            }
        }
        Ok(())
    }

    fn stop(&self) {
        Self::stop(self);
    }
}

/// Sees to it that every clinic's recurring jobs are written down, those of new clinics too.
pub async fn plan(worker: Arc<Worker>, stop: CancellationToken) {
    let mut ticks = interval(PLAN);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        // What is begun for a clinic is one transaction: it may be left at any point.
        let planned = tokio::select! {
            () = stop.cancelled() => return,
            planned = worker.plan() => planned,
        };
        if let Err(error) = planned {
            tracing::warn!(%error, "nobody can say whose recurring work is not planned at the moment");
        }
    }
}
