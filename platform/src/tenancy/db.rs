//! The database of one tenant: what SeaORM is given in place of a connection.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Instant,
};

use async_trait::async_trait;
use futures::Stream;
use sea_orm::{
    AccessMode, ConnectionTrait, DbBackend, DbErr, ExecResult, IsolationLevel, QueryResult, RuntimeErr,
    Statement, StreamTrait, TransactionError, TransactionOptions, TransactionTrait, Values,
};
use sea_query_sqlx::SqlxValues;
use sqlx::postgres::{PgConnection, Postgres};
use sqlx::{AssertSqlSafe, Executor};
use tokio::sync::Mutex;

use super::{
    Pool, SchemaName, StatementClass, Tenant, TenantTransaction,
    homes::{PATIENCE, may_be_gone, moving},
    lease::Lease,
};
use crate::error::sqlstate;

/// One tenant's database, on a connection leased at the first statement and shared from then on.
///
/// Made from a pool and a tenant, so there is no way to ask without saying whose data is meant.
/// Statements run one after the other; the lease ends with the value.
#[derive(Clone)]
pub struct TenantDb {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pool: Pool,
    tenant: Arc<Tenant>,
    class: StatementClass,
    /// Behind how many others of the tenant it waits for a connection, at the most.
    behind: usize,
    lease: Mutex<Option<Lease>>,
    statements: AtomicU32,
}

impl TenantDb {
    /// The database of the tenant, for statements of a class.
    pub fn new(pool: Pool, tenant: Arc<Tenant>, class: StatementClass) -> Self {
        Self::behind(pool, tenant, class, usize::MAX)
    }

    fn behind(pool: Pool, tenant: Arc<Tenant>, class: StatementClass, behind: usize) -> Self {
        let (lease, statements) = (Mutex::new(None), AtomicU32::new(0));
        Self { inner: Arc::new(Inner { pool, tenant, class, behind, lease, statements }) }
    }

    /// The same tenant's database for the same class of statements, on a connection of its own, for which it waits behind so
    /// many others of the tenant at the most.
    pub(crate) fn another(&self, behind: usize) -> Self {
        let Inner { pool, tenant, class, .. } = &*self.inner;
        Self::behind(pool.clone(), Arc::clone(tenant), *class, behind)
    }

    /// Whether somebody of the tenant waits for a connection.
    pub(crate) fn is_awaited(&self) -> bool {
        self.inner.pool.is_awaited(&self.inner.tenant)
    }

    /// Leases the connection before the first statement.
    pub(crate) async fn hold(&self) -> Result<(), DbErr> {
        let mut guard = self.inner.lease.lock().await;
        self.inner.leased(&mut guard).await.map(|_| ())
    }

    /// Whose database it is.
    pub fn tenant(&self) -> &Tenant {
        &self.inner.tenant
    }

    /// How many statements ran so far.
    pub fn statements(&self) -> u32 {
        self.inner.statements.load(Ordering::Relaxed)
    }

    /// Gives the connection back before the value ends.
    pub async fn release(&self) {
        self.inner.lease.lock().await.take();
    }

    /// Sends transaction control, and notes whether a transaction is open afterwards.
    pub(super) async fn control(&self, command: &'static str, open_after: bool) -> Result<(), DbErr> {
        let mut guard = self.inner.lease.lock().await;
        let lease = self.inner.leased(&mut guard).await?;
        // A transaction that is about to begin counts as open: if this await is cancelled, it may be.
        let open_before = lease.in_transaction();
        lease.set_in_transaction(true);
        let result = lease.run(async |connection| connection.execute(sqlx::raw_sql(command)).await).await;
        match &result {
            Ok(_) => lease.set_in_transaction(open_after),
            Err(_) if !open_before && open_after => lease.set_in_transaction(false),
            Err(_) => {}
        }
        result.map(|_| ()).map_err(execute_error)
    }

    /// Begins a transaction that writes, at the tenant's home: behind whoever closes that to writers, and with the answer
    /// whether it is closed. One that finds it closed waits for the tenant to be at its new home, and begins there.
    pub(super) async fn enter(&self) -> Result<(), DbErr> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut guard = self.inner.lease.lock().await;
            let lease = self.inner.leased(&mut guard).await?;
            let moves = lease.moves();
            // Counts as open from here on: if this await is cancelled, it may be.
            lease.set_in_transaction(true);
            let begin = "BEGIN; SELECT cell.enter()";
            let begun = lease.run(async |connection| connection.execute(sqlx::raw_sql(begin)).await).await;
            let Err(error) = begun.map_err(execute_error) else { return Ok(()) };
            // A transaction in pieces: its connection goes with it.
            guard.take();
            drop(guard);
            if sqlstate(&error).as_deref() == Some(NOT_LET_IN) {
                return Err(moving());
            }
            self.inner.pool.control().follow(&self.inner.tenant, moves, error, deadline).await?;
        }
    }

    /// Ends the lease so that the connection is closed: a transaction on it was not finished.
    pub(super) fn abandon(&self) {
        // Whoever holds the lock is running a statement of the same abandoned transaction; the lease
        // then closes its connection itself, because it is marked as inside a transaction.
        if let Ok(mut guard) = self.inner.lease.try_lock() {
            guard.take();
        }
    }
}

impl Inner {
    async fn leased<'a>(&self, guard: &'a mut Option<Lease>) -> Result<&'a mut Lease, DbErr> {
        if guard.as_ref().is_some_and(|lease| !lease.is_clear()) {
            // A statement before was cancelled half way: that connection is not used again.
            if guard.take().is_some_and(|lease| lease.in_transaction()) {
                return Err(DbErr::Custom("a statement of this transaction was cancelled".to_owned()));
            }
        }
        let mut deadline = None;
        while guard.is_none() {
            let home = self.pool.control().home(&self.tenant);
            match self.pool.lease(&self.tenant, &home, self.class, self.behind).await {
                Ok(lease) => *guard = Some(lease),
                Err(error) => {
                    let deadline = *deadline.get_or_insert_with(|| Instant::now() + PATIENCE);
                    self.pool.control().follow(&self.tenant, home.moves, error, deadline).await?;
                }
            }
        }
        guard.as_mut().ok_or_else(|| DbErr::Custom("no lease".to_owned()))
    }

    /// Runs one statement. Outside transactions, what was refused because the tenant is not here any more is run where it
    /// is: nothing of it was done.
    async fn run<T>(
        &self,
        statement: &Statement,
        work: impl AsyncFn(&mut PgConnection, Query<'_>) -> Result<T, sqlx::Error>,
    ) -> Result<T, DbErr> {
        let mut guard = self.lease.lock().await;
        self.statements.fetch_add(1, Ordering::Relaxed);
        let mut deadline = None;
        loop {
            let lease = self.leased(&mut guard).await?;
            let (moves, in_transaction) = (lease.moves(), lease.in_transaction());
            match self.run_on(lease, statement, &work).await {
                Err(error) if !in_transaction && may_be_gone(&error) => {
                    let deadline = *deadline.get_or_insert_with(|| Instant::now() + PATIENCE);
                    guard.take();
                    self.pool.control().follow(&self.tenant, moves, error, deadline).await?;
                }
                other => return other,
            }
        }
    }

    /// Runs one statement here. A plan that a migration made stale is retried once, outside transactions.
    async fn run_on<T>(
        &self,
        lease: &mut Lease,
        statement: &Statement,
        work: &impl AsyncFn(&mut PgConnection, Query<'_>) -> Result<T, sqlx::Error>,
    ) -> Result<T, DbErr> {
        let text = kept_per_tenant(&statement.sql, &self.tenant.schema);
        let query = || query(&text, statement.values.clone());
        let first = lease.run(async |connection| work(connection, query()).await).await;
        let result = match first {
            Err(error) if is_stale_plan(&error) && !lease.in_transaction() => {
                lease.replace(&self.tenant.schema).await?;
                lease.run(async |connection| work(connection, query()).await).await
            }
            // A connection that died while idle: the statement never reached the server, or was cut
            // off. Only reads outside transactions may be sent again.
            Err(error) if super::lease::is_stale(&error) && !lease.in_transaction() && is_read(statement) => {
                lease.replace(&self.tenant.schema).await?;
                lease.run(async |connection| work(connection, query()).await).await
            }
            other => other,
        };
        result.map_err(query_error)
    }
}

/// `lock_not_available`: it took too long until the home was closed or opened again.
const NOT_LET_IN: &str = "55P03";

/// Texts up to this many bytes stay prepared on their connection.
const LONGEST_KEPT: usize = 4096;

type Query<'q> = sqlx::query::Query<'q, Postgres, SqlxValues>;

/// A statement's text with the name of the tenant's schema behind it.
///
/// Postgres plans a prepared statement anew whenever `search_path` is not what it was planned under. With a text for
/// each tenant, a connection that comes back to a tenant finds its plans as they were.
fn kept_per_tenant(sql: &str, schema: &SchemaName) -> String {
    format!("{sql} -- {schema}")
}

fn query(text: &str, values: Option<Values>) -> Query<'_> {
    let values = values.unwrap_or_else(|| Values(Vec::new()));
    // A long text is one of a kind, a wide filter for instance: kept prepared it would only fill the backend.
    let persistent = text.len() <= LONGEST_KEPT;
    sqlx::query_with(AssertSqlSafe(text), SqlxValues(values)).persistent(persistent)
}

fn is_read(statement: &Statement) -> bool {
    statement.sql.trim_start().get(..6).is_some_and(|word| word.eq_ignore_ascii_case("select"))
}

/// `0A000`: "cached plan must not change result type".
fn is_stale_plan(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if error.code().as_deref() == Some("0A000"))
}

fn query_error(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}

fn execute_error(error: sqlx::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(Arc::new(error)))
}

#[async_trait]
impl ConnectionTrait for TenantDb {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Postgres
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.inner
            .run(&statement, async |connection, query| query.execute(connection).await)
            .await
            .map(Into::into)
    }

    /// Refused: unprepared text could hold several statements.
    async fn execute_unprepared(&self, _sql: &str) -> Result<ExecResult, DbErr> {
        Err(DbErr::Custom("unprepared statements are not allowed on a tenant's connection".to_owned()))
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let row = self
            .inner
            .run(&statement, async |connection, query| query.fetch_optional(connection).await)
            .await?;
        Ok(row.map(Into::into))
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let rows =
            self.inner.run(&statement, async |connection, query| query.fetch_all(connection).await).await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }
}

impl StreamTrait for TenantDb {
    type Stream<'a> = Pin<Box<dyn Stream<Item = Result<QueryResult, DbErr>> + Send + 'a>>;

    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Postgres
    }

    fn stream_raw<'a>(
        &'a self,
        statement: Statement,
    ) -> Pin<Box<dyn Future<Output = Result<Self::Stream<'a>, DbErr>> + 'a + Send>> {
        Box::pin(async move {
            let mut guard = self.inner.lease.lock().await;
            self.inner.leased(&mut guard).await?;
            self.inner.statements.fetch_add(1, Ordering::Relaxed);
            let rows: Self::Stream<'a> = Box::pin(async_stream::try_stream! {
                let lease = guard.as_mut().ok_or_else(|| DbErr::Custom("no lease".to_owned()))?;
                {
                    let connection = lease.connection().ok_or_else(|| DbErr::Custom("no connection".to_owned()))?;
                    let text = kept_per_tenant(&statement.sql, &self.inner.tenant.schema);
                    let mut rows = query(&text, statement.values).fetch(connection);
                    while let Some(row) = futures::TryStreamExt::try_next(&mut rows).await.map_err(query_error)? {
                        yield QueryResult::from(row);
                    }
                }
                lease.cleared();
            });
            Ok(rows)
        })
    }
}

#[async_trait]
impl TransactionTrait for TenantDb {
    type Transaction = TenantTransaction;

    async fn begin(&self) -> Result<TenantTransaction, DbErr> {
        TenantTransaction::begin(self.clone()).await
    }

    async fn begin_with_config(
        &self,
        isolation_level: Option<IsolationLevel>,
        access_mode: Option<AccessMode>,
    ) -> Result<TenantTransaction, DbErr> {
        TenantTransaction::begin_with(self.clone(), isolation_level, access_mode).await
    }

    async fn begin_with_options(&self, options: TransactionOptions) -> Result<TenantTransaction, DbErr> {
        TenantTransaction::begin_with(self.clone(), options.isolation_level, options.access_mode).await
    }

    async fn transaction<F, T, E>(&self, callback: F) -> Result<T, TransactionError<E>>
    where
        F: for<'c> FnOnce(&'c TenantTransaction) -> Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'c>>
            + Send,
        T: Send,
        E: std::fmt::Display + std::fmt::Debug + Send,
    {
        self.transaction_with_config(callback, None, None).await
    }

    async fn transaction_with_config<F, T, E>(
        &self,
        callback: F,
        isolation_level: Option<IsolationLevel>,
        access_mode: Option<AccessMode>,
    ) -> Result<T, TransactionError<E>>
    where
        F: for<'c> FnOnce(&'c TenantTransaction) -> Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'c>>
            + Send,
        T: Send,
        E: std::fmt::Display + std::fmt::Debug + Send,
    {
        let transaction = self
            .begin_with_config(isolation_level, access_mode)
            .await
            .map_err(TransactionError::Connection)?;
        transaction.run(callback).await
    }
}
