//! The end of each clinic's events, read once per server for all who watch.
//!
//! A follower has a place of its own and asks for what comes behind it. What is new comes from memory; who is far
//! behind, after a pause of the connection, reads it from the database. Nothing is queued for anybody, so a slow
//! follower costs nothing but its own delay. While nothing happens nobody holds a connection.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError, RwLock, Weak},
    time::Duration,
};

use praxis_entity::{
    event::{Column, Model},
    ids::{EventId, TenantId},
};
use sea_orm::{ColumnTrait, Condition};
use tokio::{
    sync::{broadcast, watch},
    time::{MissedTickBehavior, interval},
};

use super::{after, by_id, last_position, order};
use crate::{Failure, OpFactory, Platform, RequestInfo, access::Actor, bell::Bell, tenancy::Tenant};

/// How soon events of other servers are noticed.
const TICK: Duration = Duration::from_millis(500);
/// Events that are kept in memory for each clinic that is watched.
const KEPT: usize = 1_000;
/// Events of one statement.
const BATCH: u64 = 200;

/// The ends of the events of all clinics that are watched.
pub struct Tails {
    platform: Arc<Platform>,
    watched: Mutex<HashMap<TenantId, Weak<Tail>>>,
}

/// The end of one clinic's events.
struct Tail {
    recent: RwLock<VecDeque<Arc<Model>>>,
    last: watch::Sender<i64>,
}

/// Somebody who watches a clinic's events from a place on.
pub struct Follower {
    tail: Arc<Tail>,
    system: OpFactory,
    last: watch::Receiver<i64>,
    position: i64,
    which: Condition,
}

impl Tails {
    /// The events of all clinics.
    pub fn new(platform: Arc<Platform>) -> Self {
        Self { platform, watched: Mutex::default() }
    }

    /// Follows a clinic's events from now on, or from behind one of them. `which` is what makes a difference to the
    /// follower; it may be shown others as well.
    pub async fn follow(
        &self,
        tenant: &Arc<Tenant>,
        behind: Option<EventId>,
        which: Condition,
    ) -> Result<Follower, Failure> {
        let system = system(&self.platform, tenant);
        let tail = self.tail(&system).await?;
        let last = tail.last.subscribe();
        let position = match behind {
            Some(event) => place_of(&system, event).await?,
            None => *last.borrow(),
        };
        Ok(Follower { tail, system, last, position, which })
    }

    async fn tail(&self, system: &OpFactory) -> Result<Arc<Tail>, Failure> {
        let id = system.tenant().id;
        let watched = || self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tail) = watched().get(&id).and_then(Weak::upgrade) {
            return Ok(tail);
        }
        // From here on, so that nothing falls between the first look and the bell.
        let rung = self.platform.bell.listen();
        let op = system.read();
        order(&op).await?;
        let last = last_position(&op).await?;
        drop(op);
        let mut watched = watched();
        if let Some(tail) = watched.get(&id).and_then(Weak::upgrade) {
            return Ok(tail);
        }
        watched.retain(|_, tail| tail.strong_count() > 0);
        let tail = Arc::new(Tail { recent: RwLock::default(), last: watch::Sender::new(last) });
        watched.insert(id, Arc::downgrade(&tail));
        // Ends by itself with the last follower.
        tokio::spawn(keep_reading(Arc::downgrade(&tail), system.clone(), rung));
        Ok(tail)
    }
}

fn system(platform: &Arc<Platform>, tenant: &Arc<Tenant>) -> OpFactory {
    let request = RequestInfo { purpose: "HOPERAT", ..RequestInfo::default() };
    let actor = Arc::new(Actor::system());
    OpFactory::new(Arc::clone(platform), Arc::clone(tenant), actor, request, true)
}

/// The place of an event that somebody has seen.
async fn place_of(system: &OpFactory, event: EventId) -> Result<i64, Failure> {
    let op = system.read();
    let unknown = || Failure::BadInput("There is no such event.".to_owned());
    if let Some(position) = by_id(&op, event).await?.ok_or_else(unknown)?.position {
        return Ok(position);
    }
    order(&op).await?;
    by_id(&op, event).await?.and_then(|event| event.position).ok_or_else(unknown)
}

async fn keep_reading(tail: Weak<Tail>, system: OpFactory, mut rung: broadcast::Receiver<TenantId>) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let own = system.tenant().id;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = Bell::rung_at(&mut rung, own) => {}
        }
        let Some(tail) = tail.upgrade() else { return };
        if let Err(error) = tail.read_on(&system).await {
            tracing::warn!(tenant = %own, %error, "events can't be read at the moment");
        }
    }
}

impl Tail {
    async fn read_on(&self, system: &OpFactory) -> Result<(), Failure> {
        let op = system.read();
        order(&op).await?;
        loop {
            let from = *self.last.borrow();
            let new = after(&op, from, Condition::all(), BATCH).await?;
            let Some(last) = new.last().and_then(|event| event.position) else { return Ok(()) };
            let full = new.len() as u64 == BATCH;
            {
                let mut recent = self.recent.write().unwrap_or_else(PoisonError::into_inner);
                recent.extend(new.into_iter().map(Arc::new));
                let too_many = recent.len().saturating_sub(KEPT);
                recent.drain(..too_many);
            }
            self.last.send_replace(last);
            if !full {
                return Ok(());
            }
        }
    }

    /// What is behind a place, if all of it is in memory.
    fn behind(&self, position: i64) -> Option<Vec<Arc<Model>>> {
        let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner);
        // Places have no gap.
        let first = recent.front().and_then(|event| event.position)?;
        let skip = usize::try_from(position + 1 - first).ok()?;
        Some(recent.iter().skip(skip).cloned().collect())
    }
}

impl Follower {
    /// The events that come next, once there are any; at the least those that make a difference.
    pub async fn next(&mut self) -> Result<Vec<Arc<Model>>, Failure> {
        loop {
            let last = *self.last.borrow_and_update();
            if last > self.position {
                let new = match self.tail.behind(self.position) {
                    Some(new) => {
                        self.position = new.last().and_then(|event| event.position).unwrap_or(last);
                        new
                    }
                    None => self.catch_up(last).await?,
                };
                if !new.is_empty() {
                    return Ok(new);
                }
                continue;
            }
            // The sender lives as long as we hold the tail.
            if self.last.changed().await.is_err() {
                return Err(Failure::Internal("the end of the events is gone".to_owned()));
            }
        }
    }

    async fn catch_up(&mut self, last: i64) -> Result<Vec<Arc<Model>>, Failure> {
        let which = self.which.clone().add(Column::Position.lte(last));
        let new = after(&self.system.read(), self.position, which, BATCH).await?;
        let full = new.len() as u64 == BATCH;
        let end = new.last().and_then(|event| event.position).filter(|_| full);
        self.position = end.unwrap_or(last);
        Ok(new.into_iter().map(Arc::new).collect())
    }
}
