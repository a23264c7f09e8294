//! The newest tenant schema as one piece of SQL, from which new clinics are made.
//!
//! All steps are run in a scratch schema and the result is dumped, with the rows that the steps
//! wrote. `{schema}` and `{role}` take the place of names. What differs between the versions of
//! `pg_dump` (comments, settings, restrictions on psql) is left out.

use std::process::Stdio;

use praxis_migration::{oldest_build, served_from};
use praxis_platform::tenancy::MAIN;
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use sqlx::{Executor, postgres::PgConnection};
use tokio::process::Command;

use super::{MigrateError, Migrator, compact::compact, control::begin, steps_after, tenant::failed};

const MAKE: &str = "CREATE ROLE praxis_scratch_owner; CREATE ROLE praxis_scratch_role;
    CREATE SCHEMA IF NOT EXISTS ext; CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA ext;
    CREATE SCHEMA praxis_scratch AUTHORIZATION praxis_scratch_owner";

const CONTEXT: &str = "SET LOCAL ROLE praxis_scratch_owner; SET LOCAL search_path = praxis_scratch;
    SET LOCAL praxis.role = 'praxis_scratch_role'";

const CLEAR: &str = "SET client_min_messages = warning; DROP SCHEMA IF EXISTS praxis_scratch CASCADE;
    DROP ROLE IF EXISTS praxis_scratch_owner; DROP ROLE IF EXISTS praxis_scratch_role";

impl Migrator {
    /// Runs the tenant steps in a scratch schema of the database and returns what they make.
    pub async fn snapshot(&self) -> Result<String, MigrateError> {
        let mut admin = self.cells.connect(MAIN).await?;
        // Left from an earlier try that was killed.
        admin.execute(sqlx::raw_sql(CLEAR)).await?;
        let result = self.build(&mut admin).await;
        admin.execute(sqlx::raw_sql(CLEAR)).await?;
        let version = self.tenant_target();
        Ok(format!(
            "-- schema version: {version}\n-- served from: {}\n-- oldest build: {}\n{}",
            served_from(&self.tenant),
            oldest_build(&self.tenant, version),
            compact(&tidy(&result?))
        ))
    }

    /// Runs the steps up to a version in an empty schema, which the connection is set up for. Nobody waits for it, so
    /// what is built concurrently elsewhere is built in the same transaction.
    pub(super) async fn replay(
        &self,
        transaction: &DatabaseTransaction,
        version: i32,
    ) -> Result<(), MigrateError> {
        for (_, step) in steps_after(&self.tenant, 0).take_while(|(number, _)| *number <= version) {
            for text in step.replayed() {
                transaction.execute_unprepared(&text).await.map_err(|source| failed(step, source))?;
            }
        }
        Ok(())
    }

    async fn build(&self, admin: &mut PgConnection) -> Result<String, MigrateError> {
        admin.execute(sqlx::raw_sql(MAKE)).await?;
        let db = self.connect(1).await?;
        let transaction = begin(&db).await?;
        transaction.execute_unprepared(CONTEXT).await?;
        self.replay(&transaction, self.tenant_target()).await?;
        transaction.commit().await?;
        db.close().await?;
        dump(self.cells.control()).await
    }
}

async fn dump(database: &str) -> Result<String, MigrateError> {
    let output = Command::new("pg_dump")
        .args(["--no-owner", "--rows-per-insert=1000", "--schema=praxis_scratch", "--dbname", database])
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|error| MigrateError::Dump(error.to_string()))?;
    if !output.status.success() {
        return Err(MigrateError::Dump(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    String::from_utf8(output.stdout).map_err(|error| MigrateError::Dump(error.to_string()))
}

/// Leaves the statements that make the schema's content, without names of its own.
fn tidy(dump: &str) -> String {
    let mut text = String::with_capacity(dump.len());
    let mut in_body = false;
    for line in dump.lines() {
        let noise = line.trim().is_empty()
            || ["--", "SET ", "SELECT pg_catalog.set_config", "\\", "CREATE SCHEMA "]
                .iter()
                .any(|start| line.starts_with(start));
        if in_body || !noise {
            text.push_str(line);
            text.push('\n');
        }
        if line.matches("$$").count() % 2 == 1 {
            in_body = !in_body;
        }
    }
    text.replace("praxis_scratch_role", "{role}").replace("praxis_scratch", "{schema}")
}
