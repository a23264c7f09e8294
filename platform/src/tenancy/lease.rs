//! A connection on loan, bound to one tenant, given back only when its state is known.

use std::sync::Arc;

use sea_orm::DbErr;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor};

use super::{
    SchemaName, StatementClass,
    pool::{Shared, connection_error},
    seats::Seat,
    turns::Turn,
};

/// A connection on loan.
///
/// Whatever is awaited on it may be cancelled. So it is marked unclear before every await and clear
/// after it; one that is dropped while unclear, or inside a transaction, is closed, never reused.
pub(super) struct Lease {
    shared: Arc<Shared>,
    seat: Option<Seat>,
    class: StatementClass,
    /// How often the tenant had moved when it came to be served here.
    moves: i64,
    clear: bool,
    in_transaction: bool,
    _turn: Turn,
}

impl Lease {
    pub(super) fn new(
        shared: Arc<Shared>,
        turn: Turn,
        seat: Seat,
        class: StatementClass,
        moves: i64,
    ) -> Self {
        Self { shared, seat: Some(seat), class, moves, clear: true, in_transaction: false, _turn: turn }
    }

    /// How often the tenant had moved when it came to be served here.
    pub(super) fn moves(&self) -> i64 {
        self.moves
    }

    /// Binds the connection to a schema and its role, and lets statements take as long as the lease's class may.
    /// Nothing is sent when both are so already.
    pub(super) async fn bind(&mut self, schema: &SchemaName) -> Result<(), DbErr> {
        // A tenant that comes back to a cell has another role there, of the same name.
        let is_ready = |seat: &Seat| {
            seat.bound.as_ref() == Some(schema) && seat.class == self.class && seat.moves == self.moves
        };
        if self.seat.as_ref().is_some_and(is_ready) {
            return Ok(());
        }
        match self.try_bind(schema).await {
            Ok(()) => Ok(()),
            Err(error) if is_stale(&error) => {
                // The connection died while it was idle, for example when Postgres restarted.
                let shard = self.seat.take().map_or(0, |seat| seat.shard());
                self.seat = Some(self.shared.reconnect(shard).await?);
                self.clear = true;
                self.try_bind(schema).await.map_err(connection_error)
            }
            Err(error) => Err(connection_error(error)),
        }
    }

    async fn try_bind(&mut self, schema: &SchemaName) -> Result<(), sqlx::Error> {
        let class = self.class;
        let mut message = format!("RESET ROLE; SET search_path = {schema}; SET ROLE {schema}");
        if let Some(seat) = self.seat.as_mut() {
            seat.bound = None;
            if seat.class != class {
                let timeout = self.shared.statement_timeout(class).as_millis();
                message += &format!("; SET statement_timeout = {timeout}");
            }
        }
        self.run(async |connection| connection.execute(sqlx::raw_sql(AssertSqlSafe(message))).await).await?;
        if let Some(seat) = self.seat.as_mut() {
            seat.now_bound_to(schema, class, self.moves);
        }
        Ok(())
    }

    /// Replaces the connection by a new one, bound alike.
    pub(super) async fn replace(&mut self, schema: &SchemaName) -> Result<(), DbErr> {
        let shard = self.seat.take().map_or(0, |seat| seat.shard());
        self.seat = Some(self.shared.reconnect(shard).await?);
        self.clear = true;
        self.in_transaction = false;
        self.bind(schema).await
    }

    /// Runs one thing on the connection; until it has ended the connection counts as unclear.
    pub(super) async fn run<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let seat = self.seat.as_mut().ok_or(sqlx::Error::PoolClosed)?;
        self.clear = false;
        let result = work(&mut seat.connection).await;
        // An error of the server leaves the connection in a known state; anything else does not.
        self.clear = match &result {
            Ok(_) | Err(sqlx::Error::ColumnDecode { .. }) => true,
            Err(error) => matches!(error, sqlx::Error::Database(_)) && !is_stale(error),
        };
        result
    }

    /// The connection itself, for a stream. It counts as unclear until [`Lease::cleared`] is called.
    pub(super) fn connection(&mut self) -> Option<&mut PgConnection> {
        self.clear = false;
        self.seat.as_mut().map(|seat| &mut seat.connection)
    }

    /// Says that a stream came to its end.
    pub(super) fn cleared(&mut self) {
        self.clear = true;
    }

    /// False while the connection's state is not known: what was sent last did not come to its end.
    pub(super) fn is_clear(&self) -> bool {
        self.clear
    }

    pub(super) fn in_transaction(&self) -> bool {
        self.in_transaction
    }

    pub(super) fn set_in_transaction(&mut self, inside: bool) {
        self.in_transaction = inside;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(seat) = self.seat.take()
            && self.clear
            && !self.in_transaction
        {
            self.shared.give_back(seat);
        }
    }
}

/// True for errors that say the connection itself is gone.
pub(super) fn is_stale(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => true,
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| code.starts_with("57P") || code.starts_with("08"))
        }
        _ => false,
    }
}
