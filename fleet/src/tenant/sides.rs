//! A clinic from both sides: its rows in the control schema, and its tables in its home.

use praxis_platform::tenancy::{CellRefused, Cells, Installation, MAIN, cell_name};
use sqlx::{
    Transaction,
    postgres::{PgConnection, Postgres},
};

use super::{LifeError, run};

/// Where an installation's clinics are.
#[derive(Clone, Copy)]
pub struct Places<'a> {
    /// Where the control database and the cells are.
    pub cells: &'a Cells,
    /// The installation.
    pub installation: &'a Installation,
}

impl Places<'_> {
    /// A connection to a cell, if its address leads to it: nothing is to be made in another one.
    pub(crate) async fn home(&self, cell: &str) -> Result<PgConnection, LifeError> {
        self.cells.address(cell)?;
        let mut home = self.cells.connect(cell).await?;
        if cell == MAIN {
            return Ok(home);
        }
        match cell_name(&mut home, self.installation).await {
            Ok(Some(name)) if name == cell => Ok(home),
            Ok(_) => {
                let why = "is not this cell: look at PRAXIS_CELLS, or run `praxis cell add`";
                Err(LifeError::Cell(format!("the database that is configured for \"{cell}\" {why}")))
            }
            Err(CellRefused::Database(error)) => Err(error.into()),
            Err(refused) => Err(LifeError::Cell(refused.to_string())),
        }
    }
}

/// Both sides, in one transaction where they are in one database, and else in one of each.
pub(super) struct Sides<'c> {
    control: Transaction<'c, Postgres>,
    /// In a transaction that ends with the connection.
    home: Option<PgConnection>,
}

impl<'c> Sides<'c> {
    /// The sides of a clinic whose row is held already.
    pub async fn of(
        places: Places<'_>,
        control: Transaction<'c, Postgres>,
        cell: &str,
    ) -> Result<Self, LifeError> {
        if cell == MAIN {
            return Ok(Self { control, home: None });
        }
        let mut home = places.home(cell).await?;
        run(&mut home, "BEGIN".to_owned()).await?;
        Ok(Self { control, home: Some(home) })
    }

    /// The control schema.
    pub fn control(&mut self) -> &mut PgConnection {
        &mut self.control
    }

    /// The clinic's home.
    pub fn home(&mut self) -> &mut PgConnection {
        match &mut self.home {
            Some(home) => home,
            None => &mut self.control,
        }
    }

    /// The control schema, and the home where it is in another database.
    pub fn both(&mut self) -> (&mut PgConnection, Option<&mut PgConnection>) {
        (&mut self.control, self.home.as_mut())
    }

    /// Keeps what was done and told: first what was told.
    pub async fn commit_told_first(self) -> Result<(), sqlx::Error> {
        self.control.commit().await?;
        match self.home {
            Some(mut home) => run(&mut home, "COMMIT".to_owned()).await,
            None => Ok(()),
        }
    }

    /// Keeps what was done: first in the home, then it is told.
    pub async fn commit(self) -> Result<(), sqlx::Error> {
        if let Some(mut home) = self.home {
            run(&mut home, "COMMIT".to_owned()).await?;
        }
        self.control.commit().await
    }
}
