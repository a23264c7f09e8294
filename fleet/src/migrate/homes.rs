//! Connections to the databases that hold clinics, each opened when the first clinic of it is at hand.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use praxis_platform::tenancy::{CellUnknown, MAIN};
use sea_orm::DatabaseConnection;
use sqlx::{
    ConnectOptions, Connection, Executor,
    postgres::{PgConnection, PgPoolOptions},
};
use tokio::sync::OnceCell;

use super::{MigrateError, Migrator};

/// Connections with the operator's rights: to the control database, and to those of further cells.
pub(super) struct Homes<'a> {
    migrator: &'a Migrator,
    control: DatabaseConnection,
    connections: u32,
    further: BTreeMap<String, OnceCell<DatabaseConnection>>,
    /// Connections on which indexes were built, and their cells.
    builders: Mutex<Vec<(String, PgConnection)>>,
}

impl Homes<'_> {
    /// The control schema.
    pub(super) fn control(&self) -> &DatabaseConnection {
        &self.control
    }

    /// The database of a cell.
    pub(super) async fn of(&self, cell: &str) -> Result<&DatabaseConnection, MigrateError> {
        if cell == MAIN {
            return Ok(&self.control);
        }
        let further = self.further.get(cell).ok_or_else(|| CellUnknown(cell.to_owned()))?;
        further.get_or_try_init(|| self.migrator.connect_to(cell, self.connections)).await
    }

    /// A connection to build indexes on, outside of any transaction. Killed with the runner, it does not build on.
    ///
    /// Signing in takes longer than building an index of few rows, so whoever is done gives it back by
    /// [`Self::give_back`]; what it is set to is set anew for each clinic.
    pub(super) async fn builder(&self, cell: &str) -> Result<PgConnection, MigrateError> {
        let spare = {
            let mut builders = self.builders.lock().unwrap_or_else(PoisonError::into_inner);
            let found = builders.iter().position(|(of, _)| of == cell);
            found.map(|at| builders.swap_remove(at).1)
        };
        // It may have gone meanwhile, with its server or with whatever is between.
        if let Some(mut spare) = spare
            && spare.ping().await.is_ok()
        {
            return Ok(spare);
        }
        let mut connection = self.migrator.cells.connect(cell).await?;
        connection.execute("SET client_connection_check_interval = 1000").await?;
        Ok(connection)
    }

    /// Keeps the connection of a builder that ended well for the next one.
    pub(super) fn give_back(&self, cell: &str, connection: PgConnection) {
        self.builders.lock().unwrap_or_else(PoisonError::into_inner).push((cell.to_owned(), connection));
    }
}

impl Migrator {
    /// Connections to all cells, so many to each.
    pub(super) async fn homes(&self, connections: u32) -> Result<Homes<'_>, MigrateError> {
        let further = self.cells.further().map(|cell| (cell.to_owned(), OnceCell::new())).collect();
        let control = self.connect(connections).await?;
        Ok(Homes { migrator: self, control, connections, further, builders: Mutex::default() })
    }

    /// Connections to a cell, in the form that migration steps take.
    pub(super) async fn connect_to(
        &self,
        cell: &str,
        connections: u32,
    ) -> Result<DatabaseConnection, MigrateError> {
        let options = self.cells.home(cell)?;
        if cell != MAIN {
            // Before the pool, which tries again and again and then says only that it did.
            drop(options.connect().await?);
        }
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(5))
            // Tables change under these connections: a plan is not worth keeping.
            .connect_with(options.statement_cache_capacity(0))
            .await?;
        Ok(pool.into())
    }
}
