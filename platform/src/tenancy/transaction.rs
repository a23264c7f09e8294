//! A transaction on a tenant's connection; inside another one it is a savepoint.

use std::pin::Pin;

use async_trait::async_trait;
use sea_orm::{
    AccessMode, ConnectionTrait, DbBackend, DbErr, ExecResult, IsolationLevel, QueryResult, Statement,
    TransactionError, TransactionOptions, TransactionSession, TransactionTrait,
};

use super::TenantDb;

/// An open transaction. Dropped without [`commit`](TransactionSession::commit) it closes its
/// connection, which makes Postgres roll back.
pub struct TenantTransaction {
    db: TenantDb,
    nested: bool,
    finished: bool,
}

impl TenantTransaction {
    pub(super) async fn begin(db: TenantDb) -> Result<Self, DbErr> {
        db.enter().await?;
        Ok(Self { db, nested: false, finished: false })
    }

    pub(super) async fn begin_with(
        db: TenantDb,
        isolation_level: Option<IsolationLevel>,
        access_mode: Option<AccessMode>,
    ) -> Result<Self, DbErr> {
        let is_read_only = matches!(access_mode, Some(AccessMode::ReadOnly));
        let level = match isolation_level {
            Some(IsolationLevel::Serializable) => Some("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"),
            Some(IsolationLevel::RepeatableRead) => Some("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"),
            Some(IsolationLevel::ReadCommitted | IsolationLevel::ReadUncommitted) | None => None,
        };
        if level.is_none() && !is_read_only {
            return Self::begin(db).await;
        }
        db.control("BEGIN", true).await?;
        let transaction = Self { db, nested: false, finished: false };
        if let Some(level) = level {
            transaction.db.control(level, true).await?;
        }
        // Who only reads is not asked to wait for anybody.
        let last = if is_read_only { "SET TRANSACTION READ ONLY" } else { "SELECT cell.enter()" };
        transaction.db.control(last, true).await?;
        Ok(transaction)
    }

    async fn savepoint(&self) -> Result<Self, DbErr> {
        self.db.control("SAVEPOINT nested", true).await?;
        Ok(Self { db: self.db.clone(), nested: true, finished: false })
    }

    /// Runs the callback, then commits or rolls back.
    pub(super) async fn run<F, T, E>(self, callback: F) -> Result<T, TransactionError<E>>
    where
        F: for<'c> FnOnce(&'c Self) -> Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'c>> + Send,
        T: Send,
        E: std::fmt::Display + std::fmt::Debug + Send,
    {
        match callback(&self).await {
            Ok(value) => {
                self.commit().await.map_err(TransactionError::Connection)?;
                Ok(value)
            }
            Err(error) => {
                self.rollback().await.map_err(TransactionError::Connection)?;
                Err(TransactionError::Transaction(error))
            }
        }
    }
}

impl Drop for TenantTransaction {
    fn drop(&mut self) {
        if !self.finished {
            self.db.abandon();
        }
    }
}

#[async_trait]
impl TransactionSession for TenantTransaction {
    async fn commit(mut self) -> Result<(), DbErr> {
        let (command, open_after) =
            if self.nested { ("RELEASE SAVEPOINT nested", true) } else { ("COMMIT", false) };
        self.db.control(command, open_after).await?;
        self.finished = true;
        Ok(())
    }

    async fn rollback(mut self) -> Result<(), DbErr> {
        let (command, open_after) = if self.nested {
            ("ROLLBACK TO SAVEPOINT nested; RELEASE SAVEPOINT nested", true)
        } else {
            ("ROLLBACK", false)
        };
        self.db.control(command, open_after).await?;
        self.finished = true;
        Ok(())
    }
}

#[async_trait]
impl ConnectionTrait for TenantTransaction {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Postgres
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.db.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.db.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.db.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.db.query_all_raw(statement).await
    }
}

#[async_trait]
impl TransactionTrait for TenantTransaction {
    type Transaction = Self;

    async fn begin(&self) -> Result<Self, DbErr> {
        self.savepoint().await
    }

    /// Isolation and access mode are those of the outer transaction.
    async fn begin_with_config(
        &self,
        _: Option<IsolationLevel>,
        _: Option<AccessMode>,
    ) -> Result<Self, DbErr> {
        self.savepoint().await
    }

    async fn begin_with_options(&self, _: TransactionOptions) -> Result<Self, DbErr> {
        self.savepoint().await
    }

    async fn transaction<F, T, E>(&self, callback: F) -> Result<T, TransactionError<E>>
    where
        F: for<'c> FnOnce(&'c Self) -> Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'c>> + Send,
        T: Send,
        E: std::fmt::Display + std::fmt::Debug + Send,
    {
        self.transaction_with_config(callback, None, None).await
    }

    async fn transaction_with_config<F, T, E>(
        &self,
        callback: F,
        _: Option<IsolationLevel>,
        _: Option<AccessMode>,
    ) -> Result<T, TransactionError<E>>
    where
        F: for<'c> FnOnce(&'c Self) -> Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'c>> + Send,
        T: Send,
        E: std::fmt::Display + std::fmt::Debug + Send,
    {
        let savepoint = self.savepoint().await.map_err(TransactionError::Connection)?;
        savepoint.run(callback).await
    }
}
