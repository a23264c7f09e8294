//! The control schema: made when missing, and brought forward in one transaction.

use praxis_platform::{
    tenancy::{Installation, MAIN, bootstrap, set_passwords},
    vault::KeyWrapper,
};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, Statement, TransactionTrait};
use sea_orm_migration::{MigrationTrait as _, SchemaManager};

use super::{
    MigrateError, Migrator, steps_after,
    tenant::{ATTEMPTS, pause},
};

/// What the server reads of the control schema. It writes none of these.
const READ_BY_SERVER: &str =
    "installation, cell, tenant, tenant_domain, tenant_key, directory_version, registered_operation";

/// What it is not to see: earlier builds let it read the first.
const FOR_OPERATORS: &str = "operator, operator_session, operator_event, operation";

impl Migrator {
    /// Makes the installation if it is missing and applies the control steps; returns their names.
    ///
    /// All steps share one transaction, because the table that records them comes with one of them.
    pub(super) async fn migrate_control(
        &self,
        db: &DatabaseConnection,
        keys: &dyn KeyWrapper,
    ) -> Result<(Installation, Vec<String>), MigrateError> {
        let mut admin = self.cells.connect(MAIN).await?;
        let installation = bootstrap(&mut admin).await?;
        let version = control_version(db).await?;
        let target = self.control_target();
        if version > target {
            return Err(MigrateError::Newer { found: version, known: target });
        }
        let mut attempts = 1;
        let applied = loop {
            match self.control_steps(db, &installation, version).await {
                Err(error) if error.is_contention() && attempts < ATTEMPTS => {
                    tokio::time::sleep(pause(attempts)).await;
                    attempts += 1;
                }
                applied => break applied?,
            }
        };
        set_passwords(&mut admin, &installation, keys).await?;
        Ok((installation, applied))
    }

    async fn control_steps(
        &self,
        db: &DatabaseConnection,
        installation: &Installation,
        version: i32,
    ) -> Result<Vec<String>, MigrateError> {
        let (owner, control) = (installation.owner_role(), installation.control_role());
        let transaction = begin(db).await?;
        // Every server asks here every few seconds: whoever waits for a lock makes all of them wait.
        let context =
            format!("SET LOCAL lock_timeout = 500; SET LOCAL ROLE {owner}; SET LOCAL search_path = control");
        transaction.execute_unprepared(&context).await?;
        let mut applied = Vec::new();
        for (number, step) in steps_after(&self.control, version) {
            let name = step.name().to_owned();
            step.up(&SchemaManager::new(&transaction))
                .await
                .map_err(|source| MigrateError::Step { step: name.clone(), source })?;
            applied.push((number, name));
        }
        for (number, name) in &applied {
            let sql = "INSERT INTO migration (version, name) VALUES ($1, $2)";
            transaction.execute_raw(statement(sql, [(*number).into(), name.clone().into()])).await?;
        }
        let sql = "INSERT INTO installation (id) VALUES ($1) ON CONFLICT DO NOTHING";
        transaction.execute_raw(statement(sql, [installation.id().into()])).await?;
        transaction.execute_unprepared(&format!("GRANT SELECT ON {READ_BY_SERVER} TO {control}")).await?;
        transaction.execute_unprepared(&format!("REVOKE ALL ON {FOR_OPERATORS} FROM {control}")).await?;
        // Hints of waiting work are taken and deleted by whoever does it, and servers say that they are there.
        let work =
            format!("{}; GRANT SELECT, INSERT, UPDATE, DELETE ON server TO {control}", hints_for(&control));
        transaction.execute_unprepared(&work).await?;
        transaction.commit().await?;
        Ok(applied.into_iter().map(|(_, name)| name).collect())
    }
}

/// What the control role does in the schema `cell`: it takes hints of waiting work and deletes them.
pub(super) fn hints_for(control: &str) -> String {
    format!(
        "GRANT SELECT, UPDATE, DELETE ON cell.ready TO {control}; GRANT SELECT ON cell.planned TO {control}"
    )
}

/// The version of the control schema; 0 where there is none.
pub(super) async fn control_version(db: &DatabaseConnection) -> Result<i32, MigrateError> {
    let known: Option<bool> = one(db, "SELECT to_regclass('control.migration') IS NOT NULL AS n").await?;
    if known != Some(true) {
        return Ok(0);
    }
    Ok(one(db, "SELECT coalesce(max(version), 0) AS n FROM control.migration").await?.unwrap_or(0))
}

/// Begins a transaction of the migrator's own.
#[expect(
    clippy::disallowed_methods,
    reason = "migrations are no operation of a clinic: no actor, no audit entry"
)]
pub(super) async fn begin(db: &DatabaseConnection) -> Result<DatabaseTransaction, MigrateError> {
    Ok(db.begin().await?)
}

/// The column `n` of the only row.
pub(super) async fn one<T: sea_orm::TryGetable>(
    db: &impl ConnectionTrait,
    sql: &str,
) -> Result<Option<T>, MigrateError> {
    let row = db.query_one_raw(statement(sql, [])).await?;
    Ok(row.map(|row| row.try_get("", "n")).transpose()?)
}

/// A statement with bound values.
pub(super) fn statement<const N: usize>(sql: &str, values: [sea_orm::Value; N]) -> Statement {
    Statement::from_sql_and_values(sea_orm::DbBackend::Postgres, sql, values)
}
