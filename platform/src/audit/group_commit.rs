//! Group commit: what readers of one clinic leave in its log at the same time is written by one statement.
//!
//! A statement with its commit costs Postgres nearly as much for one entry as for five. So one statement at a time writes what
//! a clinic's readers leave: who comes while it does gives their connection back and waits for the next one, which takes all of
//! them. Who finds nothing being written writes at once on the connection they have, unless others of the clinic wait for one:
//! those read first, and leave theirs with the same statement. Each answer leaves only when its own entries are committed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use praxis_entity::ids::TenantId;
use sea_orm::DbErr;
use tokio::{runtime::Handle, sync::oneshot};

use super::insert::insert;
use crate::{Failure, access::AccessMark, tenancy::TenantDb};

/// So many readers who wait for a connection come first, at the most: nobody's answer waits for a crowd.
const COMPANY: usize = 16;

/// So many readers are served by one statement at most: it must not take long.
const MOST: usize = 100;

/// Entries are written together if they are of one clinic and under one condition.
type Group = (TenantId, Option<AccessMark>);

/// A reader who waits for what it leaves to be written.
struct Waiting {
    lines: Arc<str>,
    written: oneshot::Sender<Result<bool, DbErr>>,
}

/// Is told whether it was written.
type Told = oneshot::Receiver<Result<bool, DbErr>>;

/// Where a reader finds itself.
enum Place {
    /// Nobody writes for the group and nobody waits for a connection: it writes at once.
    Alone(Turn),
    /// Somebody writes for the group, and will for this one.
    Behind(Told),
    /// Nobody writes for the group, but others of the clinic wait to read: one writes for all of them.
    AheadOfCompany(Turn, Told),
}

/// Writes entries of readings. A group is there while somebody writes for it, with those who wait.
#[derive(Default)]
pub struct GroupCommit {
    busy: Mutex<HashMap<Group, Vec<Waiting>>>,
}

impl GroupCommit {
    /// Writes lines, separated by commas, as entries of the clinic's log, and returns when they are committed. Under a mark
    /// only if it still holds: false, and nothing written, where it does not.
    pub async fn write(
        self: &Arc<Self>,
        db: &TenantDb,
        mark: Option<AccessMark>,
        lines: String,
    ) -> Result<bool, Failure> {
        let (group, lines) = ((db.tenant().id, mark), Arc::from(lines));
        let told = match self.come(group, &lines, db) {
            // Whoever comes meanwhile is served when the turn is dropped.
            Place::Alone(_turn) => return insert(db, &lines, mark).await,
            Place::Behind(told) => {
                db.release().await;
                told
            }
            Place::AheadOfCompany(turn, told) => {
                db.release().await;
                tokio::spawn(turn.serve());
                told
            }
        };
        match told.await {
            Ok(written) => Ok(written?),
            // Together it failed, and it may be the fault of another's: alone each learns of its own.
            Err(_) => insert(db, &lines, mark).await,
        }
    }

    fn busy(&self) -> MutexGuard<'_, HashMap<Group, Vec<Waiting>>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn come(self: &Arc<Self>, group: Group, lines: &Arc<str>, db: &TenantDb) -> Place {
        let mut busy = self.busy();
        let is_first = !busy.contains_key(&group);
        let waiting = busy.entry(group).or_default();
        let turn = || Turn { commit: Arc::clone(self), db: db.another(COMPANY), group };
        if is_first && !db.is_awaited() {
            return Place::Alone(turn());
        }
        let (written, told) = oneshot::channel();
        waiting.push(Waiting { lines: Arc::clone(lines), written });
        if is_first { Place::AheadOfCompany(turn(), told) } else { Place::Behind(told) }
    }

    /// Takes those who wait, in the order in which they came.
    fn take(&self, group: &Group) -> Vec<Waiting> {
        let mut busy = self.busy();
        let Some(waiting) = busy.get_mut(group) else { return Vec::new() };
        waiting.drain(..waiting.len().min(MOST)).collect()
    }
}

/// The right to write for a group. However it ends, done, failed or cancelled, somebody writes for those who wait.
struct Turn {
    commit: Arc<GroupCommit>,
    /// For what others wait for to be written: on a connection of its own.
    db: TenantDb,
    group: Group,
}

impl Turn {
    /// Writes for those who wait until nobody does.
    async fn serve(self) {
        loop {
            let connected = self.db.hold().await;
            let waiting = self.commit.take(&self.group);
            if waiting.is_empty() {
                return;
            }
            let written = match connected {
                Ok(()) => {
                    let lines = waiting.iter().map(|one| &*one.lines).collect::<Vec<_>>().join(",");
                    insert(&self.db, &lines, self.group.1).await.ok().map(Ok)
                }
                Err(error) => Some(Err(error)),
            };
            // Where it failed, they are told by the end of their channels.
            if let Some(written) = written {
                // Who gave up in the meantime has an entry all the same: it was read for them.
                waiting.into_iter().for_each(|one| drop(one.written.send(written.clone())));
            }
            if self.db.is_awaited() {
                self.db.release().await;
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut busy = self.commit.busy();
        let nobody = busy.get(&self.group).is_none_or(Vec::is_empty);
        // Without a runtime the process ends, and with it those who wait.
        match Handle::try_current() {
            Ok(runtime) if !nobody => {
                let next = Self { commit: Arc::clone(&self.commit), db: self.db.clone(), group: self.group };
                runtime.spawn(next.serve());
            }
            _ => {
                busy.remove(&self.group);
            }
        }
    }
}
