//! Steps that no single transaction can hold: indexes built beside the work of a clinic, and rows changed batch by
//! batch. Both are looked after, so that whatever was interrupted is run again.

use std::time::{Duration, Instant};

use praxis_migration::Step;
use praxis_platform::tenancy::SchemaName;
use sea_orm::{ConnectionTrait, DbErr, RuntimeErr};
use sqlx::{AssertSqlSafe, Executor, postgres::PgConnection};

use super::{
    MigrateError, TenantVersion,
    tenant::{Run, failed},
};

/// Building an index concurrently waits for the transactions under way, and nobody waits for it.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest pause between two batches.
const LONGEST_BREATH: Duration = Duration::from_secs(1);

const IS_VALID: &str = "SELECT i.indisvalid FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relname = $2";

impl Run<'_> {
    /// Makes or drops indexes. One that an earlier try left half-built is made anew; one that is there is left alone.
    pub(super) async fn concurrently(&self, tenant: &TenantVersion, step: &Step) -> Result<(), MigrateError> {
        let schema = &tenant.schema;
        let mut connection = self.homes.builder(&tenant.cell).await?;
        let context = self.context(schema, "SESSION", self.options.lock_timeout.max(PATIENCE));
        let fail = |error: sqlx::Error| failed(step, DbErr::Exec(RuntimeErr::SqlxError(error.into())));
        connection.execute(sqlx::raw_sql(AssertSqlSafe(context))).await.map_err(fail)?;
        for statement in step.statements() {
            let Some(index) = statement.concurrent_index() else {
                return Err(failed(step, DbErr::Custom("only indexes are made concurrently".to_owned())));
            };
            let valid = is_valid(&mut connection, schema, index).await.map_err(fail)?;
            let drops = statement.begins(&["drop"]);
            if valid == Some(false) && !drops {
                let drop = format!("DROP INDEX CONCURRENTLY \"{index}\"");
                connection.execute(sqlx::raw_sql(AssertSqlSafe(drop))).await.map_err(fail)?;
            }
            let wanted = if drops { valid.is_some() } else { valid != Some(true) };
            if wanted {
                let text = statement.text.to_owned();
                connection.execute(sqlx::raw_sql(AssertSqlSafe(text))).await.map_err(fail)?;
            }
        }
        self.homes.give_back(&tenant.cell, connection);
        Ok(())
    }

    /// Repeats the step's statement, each time in a transaction of its own, until it changes nothing. It rests as
    /// long as it works, so that it takes half of a connection's time at the most.
    pub(super) async fn in_batches(&self, tenant: &TenantVersion, step: &Step) -> Result<(), MigrateError> {
        for statement in step.statements() {
            loop {
                let begun = Instant::now();
                let transaction = self.begin(tenant).await?;
                let done = transaction
                    .execute_unprepared(statement.text)
                    .await
                    .map_err(|source| failed(step, source))?;
                transaction.commit().await?;
                if done.rows_affected() == 0 {
                    break;
                }
                tokio::time::sleep(begun.elapsed().min(LONGEST_BREATH)).await;
            }
        }
        Ok(())
    }
}

/// Whether an index is there, and whole.
async fn is_valid(
    connection: &mut PgConnection,
    schema: &SchemaName,
    index: &str,
) -> Result<Option<bool>, sqlx::Error> {
    sqlx::query_scalar(IS_VALID).bind(schema.as_str()).bind(index).fetch_optional(connection).await
}
