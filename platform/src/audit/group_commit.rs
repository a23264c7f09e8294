//! Group commit: what readers of one clinic leave in its log at the same time is written by one statement.
//!
//! A statement with its commit costs Postgres nearly as much for one entry as for five. So one statement at a time writes what
//! a clinic's readers leave: who comes first writes at once, on the connection they have, and who comes meanwhile gives theirs
//! back and waits for the next statement, which takes all of them. Nobody waits for company that may not come, and each
//! answer leaves only when its own entries are committed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use praxis_entity::ids::TenantId;
use tokio::{runtime::Handle, sync::oneshot};

use super::insert::insert;
use crate::{Failure, access::AccessMark, tenancy::TenantDb};

/// So many readers are served by one statement at most: it must not take long.
const MOST: usize = 100;

/// Entries are written together if they are of one clinic and under one condition.
type Group = (TenantId, Option<AccessMark>);

/// A reader who waits for what it leaves to be written.
struct Waiting {
    lines: Arc<str>,
    written: oneshot::Sender<bool>,
}

/// Writes entries of readings. A group is there while a statement writes for it, with those who came since.
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
        let Some(written) = self.come(group, &lines) else {
            let _turn = Turn { commit: Arc::clone(self), db: db.clone(), group };
            return insert(db, &lines, mark).await;
        };
        db.release().await;
        match written.await {
            Ok(held) => Ok(held),
            // Together it failed, and it may be the fault of another's: alone each learns of its own.
            Err(_) => insert(db, &lines, mark).await,
        }
    }

    fn busy(&self) -> MutexGuard<'_, HashMap<Group, Vec<Waiting>>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues behind the statement that is being written; `None` where there is none, and it is the caller's turn.
    fn come(&self, group: Group, lines: &Arc<str>) -> Option<oneshot::Receiver<bool>> {
        let mut busy = self.busy();
        let Some(waiting) = busy.get_mut(&group) else {
            busy.insert(group, Vec::new());
            return None;
        };
        let (written, told) = oneshot::channel();
        waiting.push(Waiting { lines: Arc::clone(lines), written });
        Some(told)
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
    db: TenantDb,
    group: Group,
}

impl Turn {
    /// Writes for those who wait until nobody does.
    async fn serve(self) {
        loop {
            let waiting = self.commit.take(&self.group);
            if waiting.is_empty() {
                return;
            }
            let lines = waiting.iter().map(|one| &*one.lines).collect::<Vec<_>>().join(",");
            // Where it failed, they are told by the end of their channels.
            if let Ok(held) = insert(&self.db, &lines, self.group.1).await {
                for one in waiting {
                    // Who gave up in the meantime has an entry all the same: it was read for them.
                    let _ = one.written.send(held);
                }
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
                let next =
                    Self { commit: Arc::clone(&self.commit), db: self.db.another(), group: self.group };
                runtime.spawn(next.serve());
            }
            _ => {
                busy.remove(&self.group);
            }
        }
    }
}
