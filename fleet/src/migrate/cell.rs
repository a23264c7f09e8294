//! The schema `cell` of each cell: made where a cell is new, and brought forward where it is behind.

use praxis_platform::{
    tenancy::{
        CellRefused, CellUnknown, Installation, InstallationError, MAIN, bootstrap_cell, installation_key,
        installed, is_cell_name, set_cell_passwords, shards_of,
    },
    vault::{InstallationKey, KeyWrapper},
};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use sea_orm_migration::{MigrationTrait as _, SchemaManager};
use sqlx::postgres::PgConnection;

use super::{
    CellVersion, MigrateError, Migrator,
    control::{begin, hints_for, one, statement},
    homes::Homes,
    steps_after, version_of,
};
use crate::{cells, registry};

/// Why something was not done with a cell.
#[derive(Debug, thiserror::Error)]
pub enum CellError {
    /// It can't be called so.
    #[error(
        "\"{0}\" is no name of a further cell: up to 31 of a-z, 0-9 and hyphens, a letter first, and not `main`"
    )]
    Name(String),
    /// There is none of that name.
    #[error("there is no cell \"{0}\"")]
    Unknown(String),
    /// Its address is not known.
    #[error(transparent)]
    NotConfigured(#[from] CellUnknown),
    /// The database can't be one.
    #[error(transparent)]
    Refused(#[from] CellRefused),
    /// The control schema is another build's.
    #[error("the control schema is at version {found}, and this build works with {known}")]
    OtherBuild {
        /// Version found.
        found: i32,
        /// Version this build knows.
        known: i32,
    },
    /// Its schema could not be brought forward.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl From<InstallationError> for CellError {
    fn from(error: InstallationError) -> Self {
        Self::Migrate(error.into())
    }
}

impl CellError {
    /// What the database said, if it was the database.
    pub fn database(&self) -> Option<&sqlx::Error> {
        match self {
            Self::Database(error) | Self::Refused(CellRefused::Database(error)) => Some(error),
            Self::Migrate(error) => error.database(),
            _ => None,
        }
    }
}

/// Makes a further cell of the database that the configuration names for it, and says whether it was new. Begun again, it
/// goes on where it was killed: the installation knows the cell only when all of it is there.
pub async fn add_cell(
    migrator: &Migrator,
    keys: &dyn KeyWrapper,
    name: &str,
    max_tenants: Option<i32>,
) -> Result<bool, CellError> {
    if name == MAIN || !is_cell_name(name) {
        return Err(CellError::Name(name.escape_debug().to_string()));
    }
    migrator.cells().address(name)?;
    let mut control = migrator.cells().connect(MAIN).await?;
    let installation = installed(&mut control).await?.ok_or(MigrateError::NotInstalled)?;
    let (found, known) = (registry::control_version(&mut control).await?, migrator.control_target());
    if found != known {
        return Err(CellError::OtherBuild { found, known });
    }
    let key = installation_key(&mut control, keys).await?;
    let shards = shards_of(&mut control, name).await?;
    migrator.make_cell(name, &installation, &key, &shards).await?;
    let sql =
        "INSERT INTO control.cell (id, max_tenants) VALUES ($1, coalesce($2, 10000)) ON CONFLICT DO NOTHING";
    let done = sqlx::query(sql).bind(name).bind(max_tenants).execute(&mut control).await?;
    Ok(done.rows_affected() > 0)
}

/// The version of a cell's schema; 0 where it has none.
pub async fn cell_version(home: &mut PgConnection) -> Result<i32, sqlx::Error> {
    let known: bool =
        sqlx::query_scalar("SELECT to_regclass('cell.migration') IS NOT NULL").fetch_one(&mut *home).await?;
    if !known {
        return Ok(0);
    }
    sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM cell.migration").fetch_one(home).await
}

impl Migrator {
    /// All cells that the installation knows; one with which something is wrong has no version.
    pub(super) async fn cell_versions(&self) -> Result<Vec<CellVersion>, MigrateError> {
        let mut control = self.cells.connect(MAIN).await?;
        let installation = installed(&mut control).await?.ok_or(MigrateError::NotInstalled)?;
        let known = cells::list(&mut control, &installation, &self.cells).await?;
        let told = known.into_iter().map(|cell| {
            let version = if let Some(problem) = &cell.problem {
                tracing::warn!(cell = cell.name, problem, "the version of a cell is not known");
                None
            } else {
                cell.version
            };
            CellVersion { name: cell.name, version }
        });
        Ok(told.collect())
    }

    /// Brings all cells forward. A further cell that is away or not configured is left as it is, and named with the
    /// reason: the clinics of the others are migrated all the same.
    pub(super) async fn migrate_cells(
        &self,
        homes: &Homes<'_>,
        installation: &Installation,
        keys: &dyn KeyWrapper,
    ) -> Result<Vec<(String, CellError)>, MigrateError> {
        self.cell_steps(homes.control(), installation).await?;
        let mut control = self.cells.connect(MAIN).await?;
        let further = registry::cells(&mut control).await?.into_iter().filter(|cell| cell.id != MAIN);
        let further: Vec<_> = further.collect();
        if further.is_empty() {
            return Ok(Vec::new());
        }
        let key = installation_key(&mut control, keys).await?;
        let mut away = Vec::new();
        for cell in further {
            let shards = shards_of(&mut control, &cell.id).await?;
            if let Err(error) = self.make_cell(&cell.id, installation, &key, &shards).await {
                away.push((cell.id, error));
            }
        }
        Ok(away)
    }

    /// Makes what a further cell lacks.
    async fn make_cell(
        &self,
        name: &str,
        installation: &Installation,
        key: &InstallationKey,
        shards: &[i32],
    ) -> Result<(), CellError> {
        self.cells.address(name)?;
        let mut home = self.cells.connect(name).await?;
        bootstrap_cell(&mut home, installation, key, name).await?;
        let db = self.connect_to(name, 1).await?;
        self.cell_steps(&db, installation).await?;
        set_cell_passwords(&mut home, installation, key, shards).await?;
        Ok(())
    }

    /// Applies the steps that a cell lacks, in one transaction.
    async fn cell_steps(
        &self,
        db: &DatabaseConnection,
        installation: &Installation,
    ) -> Result<(), MigrateError> {
        let known: Option<bool> = one(db, "SELECT to_regclass('cell.migration') IS NOT NULL AS n").await?;
        if known != Some(true) {
            return Ok(());
        }
        let transaction = begin(db).await?;
        let context = format!(
            "SET LOCAL lock_timeout = 2000; SET LOCAL ROLE {}; SET LOCAL search_path = cell;
             LOCK TABLE migration IN SHARE ROW EXCLUSIVE MODE",
            installation.owner_role()
        );
        transaction.execute_unprepared(&context).await?;
        let found: i32 =
            one(&transaction, "SELECT coalesce(max(version), 0) AS n FROM migration").await?.unwrap_or(0);
        let steps = praxis_migration::cell::steps();
        if found > version_of(&steps) {
            return Err(MigrateError::Newer { found, known: version_of(&steps) });
        }
        for (version, step) in steps_after(&steps, found) {
            let name = step.name().to_owned();
            step.up(&SchemaManager::new(&transaction))
                .await
                .map_err(|source| MigrateError::Step { step: name.clone(), source })?;
            let sql = "INSERT INTO migration (version, name) VALUES ($1, $2)";
            transaction.execute_raw(statement(sql, [version.into(), name.into()])).await?;
        }
        transaction.execute_unprepared(&hints_for(&installation.control_role())).await?;
        transaction.commit().await?;
        Ok(())
    }
}
