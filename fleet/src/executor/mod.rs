//! Does the long work that was asked for at the control plane.
//!
//! What is to be done stands in the rows of `control.operation` and nowhere else: a process that is killed takes nothing
//! with it, and whichever looks next goes on. Several may look at once, for each piece of work has a lock. Here the same
//! functions run as on the command line.

mod migration;
mod task;

pub use migration::Run;
pub use task::{Fill, Move, Sandbox, Task};

use std::{collections::HashMap, sync::Arc, time::Duration};

use praxis_platform::{
    clock::SharedClock,
    tenancy::{Cells, Installation, MAIN, installed},
    vault::KeyWrapper,
};
use sqlx::{PgPool, postgres::PgConnection};
use tokio::{runtime::Handle, sync::Notify, task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    is_unreachable,
    operators::act_as,
    tenant::{
        LifeError, Operation,
        operation::{self, Begun, Work},
    },
};

/// Pieces of work at once: each holds a few connections with the operator's rights.
const AT_ONCE: usize = 4;
/// How many it looks at: more than it can do at once, for others may be at the first.
const LOOKED_AT: i64 = 64;
/// How often it looks whether something was left by another process.
const PAUSE: Duration = Duration::from_secs(2);
/// Whoever kills its process each time is not begun for ever.
const ATTEMPTS: i32 = 5;
/// How long work may go on after the process was told to stop; what is not done then is taken up by the next.
const FAREWELL: Duration = Duration::from_secs(5);

/// What work stands on.
#[derive(Clone)]
pub struct Executor {
    /// Connections with the operator's rights, for looking what there is.
    pub pool: PgPool,
    /// Where the control database and the clinics are.
    pub cells: Cells,
    /// Guards the keys of the installation.
    pub keys: Arc<dyn KeyWrapper>,
    /// Gives ids.
    pub clock: SharedClock,
    /// Rung when something was asked for.
    pub bell: Arc<Notify>,
}

impl Executor {
    /// Works until it is told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let (mut tasks, mut under_way) = (JoinSet::new(), HashMap::new());
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(ended) = tasks.join_next_with_id(), if !tasks.is_empty() => {
                    let id = match ended {
                        Ok((id, ())) => id,
                        Err(error) => {
                            tracing::error!(%error, "an operation ended by itself; it is taken up again");
                            error.id()
                        }
                    };
                    under_way.remove(&id);
                    continue;
                }
                () = self.bell.notified() => {}
                () = sleep(PAUSE) => {}
            }
            for operation in self.open().await {
                if under_way.len() < AT_ONCE && !under_way.values().any(|id| *id == operation.id) {
                    let (executor, stop, id) = (self.clone(), stop.clone(), operation.id);
                    // On a thread of its own: much of it is not made to go from one to the other.
                    let work = move || Handle::current().block_on(executor.work(operation, stop));
                    under_way.insert(tasks.spawn_blocking(work).id(), id);
                }
            }
        }
        while tasks.join_next().await.is_some() {}
    }

    async fn open(&self) -> Vec<Operation> {
        let found =
            async { operation::open(&mut *self.pool.acquire().await?, &Task::KINDS, LOOKED_AT).await };
        found.await.unwrap_or_else(|error| {
            tracing::warn!(%error, "it could not be seen what there is to do");
            Vec::new()
        })
    }

    async fn work(self, operation: Operation, stop: CancellationToken) {
        let (id, kind) = (operation.id, operation.kind.clone());
        let patience = async {
            stop.cancelled().await;
            sleep(FAREWELL).await;
        };
        let done = tokio::select! {
            done = self.done(operation, stop.clone()) => done,
            () = patience => return tracing::info!(operation = %id, kind, "left to whoever comes next"),
        };
        match done {
            // Or somebody else is at it.
            Ok(()) | Err(LifeError::Locked) => {}
            Err(LifeError::Database(error)) if is_unreachable(&error) => {
                tracing::warn!(operation = %id, kind, %error, "the database is away; it is taken up again");
            }
            Err(error) => {
                // Texts of ours and of the database about control rows; nothing of a patient.
                tracing::warn!(operation = %id, kind, %error, "an operation failed");
                if let Err(error) = self.give_up(id, &error.to_string()).await {
                    tracing::warn!(operation = %id, %error, "that it failed could not be noted");
                }
            }
        }
    }

    async fn done(&self, operation: Operation, stop: CancellationToken) -> Result<(), LifeError> {
        if operation.attempts >= ATTEMPTS {
            let why = format!("it was begun {ATTEMPTS} times and did not end; ask for it again");
            return Err(LifeError::Refused(why));
        }
        let installation = installed(&mut *self.pool.acquire().await?).await?;
        let installation = installation.ok_or_else(|| LifeError::Refused("not installed".to_owned()))?;
        let task = Task::read(&operation).ok_or(LifeError::Malformed("operation"))?;
        task.run(self, &installation, &operation, stop).await
    }

    /// Unless somebody works on it.
    async fn give_up(&self, id: Uuid, error: &str) -> Result<(), sqlx::Error> {
        let mut connection = self.cells.connect(MAIN).await?;
        if operation::lock(&mut connection, id).await? {
            operation::give_up(&mut connection, id, error).await?;
        }
        Ok(())
    }

    /// A connection on which whoever asked for an operation acts.
    async fn connect_for(&self, operation: &Operation) -> Result<PgConnection, sqlx::Error> {
        let mut connection = self.cells.connect(MAIN).await?;
        act_as(&mut connection, &operation.actor).await?;
        Ok(connection)
    }

    /// Takes an operation up; none where it was done meanwhile.
    async fn take_up(&self, operation: &Operation) -> Result<Option<Work>, LifeError> {
        match Work::take_up(self.connect_for(operation).await?, operation.id).await? {
            Begun::Now(work) => Ok(Some(work)),
            Begun::Before(_) => Ok(None),
        }
    }

    fn ground<'a>(
        &'a self,
        installation: &'a Installation,
        operation: &'a Operation,
    ) -> crate::tenant::Ground<'a> {
        crate::tenant::Ground {
            cells: &self.cells,
            installation,
            wrapper: self.keys.as_ref(),
            clock: &self.clock,
            actor: Some(&operation.actor),
            progress: &|_, _| {},
        }
    }
}
