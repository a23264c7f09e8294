//! What the control plane stands on: a few connections with the operator's rights, and the keys of the installation.
//!
//! The connections are few, whatever is asked: they are the database's last resort, which a query must not use up.

use std::{sync::Arc, time::Duration};

use async_graphql::{Context, Error};
use praxis_fleet::{
    executor::Task,
    operators::{Right, Session, connect_as},
    tenant::{LifeError, Operation, operation},
};
use praxis_platform::{
    clock::SharedClock,
    tenancy::{Cells, MAIN},
    vault::KeyWrapper,
};
use sqlx::{Executor as _, PgPool, Postgres, pool::PoolConnection, postgres::PgPoolOptions};
use tokio::sync::Notify;

use crate::error::{coded, database};

/// Connections at once.
const CONNECTIONS: u32 = 8;
/// How long a request waits for one.
const WAIT: Duration = Duration::from_secs(5);

/// What the control plane stands on.
#[derive(Clone)]
pub(crate) struct Ground {
    pub(crate) pool: PgPool,
    pub(crate) cells: Cells,
    pub(crate) base_domain: Arc<str>,
    pub(crate) keys: Arc<dyn KeyWrapper>,
    pub(crate) clock: SharedClock,
    /// Rung when something was asked for.
    pub(crate) bell: Arc<Notify>,
}

impl Ground {
    pub(crate) fn new(
        cells: Cells,
        base_domain: &str,
        keys: Arc<dyn KeyWrapper>,
        clock: SharedClock,
    ) -> Result<Self, sqlx::Error> {
        let options =
            cells.home(MAIN)?.application_name("praxis operator").options([("statement_timeout", "10s")]);
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(WAIT)
            .idle_timeout(Duration::from_secs(60))
            // Whoever has the connection next is somebody else.
            .after_release(|connection, _| {
                Box::pin(async move { connection.execute("RESET ALL").await.map(|_| true) })
            })
            .connect_lazy_with(options);
        let base_domain = base_domain.into();
        Ok(Self { pool, cells, base_domain, keys, clock, bell: Arc::new(Notify::new()) })
    }
}

/// A connection to look with, for whoever may.
pub(crate) async fn reading(context: &Context<'_>) -> Result<PoolConnection<Postgres>, Error> {
    holder(context, Right::Read)?;
    context.data::<Ground>()?.pool.acquire().await.map_err(database)
}

/// A connection on which whatever is done is done by the operator, who has the right to it.
pub(crate) async fn acting(context: &Context<'_>, right: Right) -> Result<PoolConnection<Postgres>, Error> {
    let session = holder(context, right)?;
    connect_as(&context.data::<Ground>()?.pool, &session.operator).await.map_err(database)
}

/// The same for what can't be taken back, or lets go of what was kept: the password was shown just now.
pub(crate) async fn acting_proved(
    context: &Context<'_>,
    right: Right,
) -> Result<PoolConnection<Postgres>, Error> {
    if !holder(context, right)?.is_proved {
        let message = "Show your password again first: POST /auth/step-up.";
        return Err(coded(message, "STEP_UP_REQUIRED"));
    }
    acting(context, right).await
}

/// Who asks, if they have the right to it.
pub(crate) fn holder<'a>(context: &Context<'a>, right: Right) -> Result<&'a Session, Error> {
    let session = context.data::<Session>()?;
    if session.operator.rights.hold(right) {
        return Ok(session);
    }
    Err(coded(&format!("This needs the right {right}."), "FORBIDDEN"))
}

/// Writes down what the executor is to do, and wakes it.
pub(crate) async fn ask(
    context: &Context<'_>,
    connection: &mut PoolConnection<Postgres>,
    task: &Task,
    key: &str,
) -> Result<Operation, LifeError> {
    let Ok(ground) = context.data::<Ground>() else { return Err(LifeError::Malformed("ground")) };
    let (input, id) = (task.input()?, ground.clock.new_id());
    let asked = operation::ask(connection, task.clinic(), task.kind(), key, &input, id).await?;
    ground.bell.notify_one();
    Ok(asked)
}
