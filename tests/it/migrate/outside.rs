//! Steps that no transaction holds: indexes built beside the work, rows changed batch by batch.

use anyhow::Result;
use praxis_fleet::migrate::{Options, Outcome};
use praxis_migration::Step;
use sqlx::{AssertSqlSafe, Executor};

use super::{clinics, version, with_steps};
use crate::support::installation::TestInstallation;

const INDEX: &str = "-- praxis: concurrent
    CREATE UNIQUE INDEX CONCURRENTLY counter_by_n ON counter (n)";

#[tokio::test]
async fn an_index_that_was_left_half_built_is_built_anew() -> Result<()> {
    let installation = TestInstallation::new().await?;
    let tenants = clinics(&installation, 2).await?;
    let schema = &tenants[1].schema;
    let mut admin = installation.admin().await?;
    let twice = format!("INSERT INTO {schema}.counter (name, n) VALUES ('one', 7), ('other', 7)");
    admin.execute(AssertSqlSafe(twice)).await?;
    let migrator = with_steps(&installation.url, [Step::new("m9998_counter", INDEX)]);
    let go_on = Options { max_failures: 9, ..Options::default() };
    let report = migrator.up(&*installation.keys, &installation.clock, &go_on, &|_| {}).await?;
    assert_eq!((report.outcome, report.migrated, report.failed), (Outcome::Partial, 1, 1));
    let valid =
        format!("SELECT indisvalid FROM pg_index WHERE indexrelid = '{schema}.counter_by_n'::regclass");
    assert!(!sqlx::query_scalar::<_, bool>(AssertSqlSafe(valid.clone())).fetch_one(&mut admin).await?);

    admin.execute(AssertSqlSafe(format!("DELETE FROM {schema}.counter WHERE name = 'other'"))).await?;
    let report = migrator.up(&*installation.keys, &installation.clock, &go_on, &|_| {}).await?;
    assert_eq!((report.outcome, report.migrated), (Outcome::Done, 1));
    assert!(sqlx::query_scalar::<_, bool>(AssertSqlSafe(valid)).fetch_one(&mut admin).await?);

    // It is taken away in the same manner, and what is gone already is no fault.
    let gone = Step::new("m9999_no_counter", "-- praxis: concurrent\nDROP INDEX CONCURRENTLY counter_by_n");
    admin.execute(AssertSqlSafe(format!("DROP INDEX {schema}.counter_by_n"))).await?;
    let migrator = with_steps(&installation.url, [Step::new("m9998_counter", INDEX), gone]);
    let report = migrator.up(&*installation.keys, &installation.clock, &Options::default(), &|_| {}).await?;
    assert_eq!((report.outcome, report.migrated), (Outcome::Done, 2));
    let left = "SELECT count(*) FROM pg_class WHERE relname = 'counter_by_n'";
    assert_eq!(sqlx::query_scalar::<_, i64>(left).fetch_one(&mut admin).await?, 0);
    Ok(())
}

#[tokio::test]
async fn rows_are_changed_batch_by_batch_and_go_on_where_they_were() -> Result<()> {
    let installation = TestInstallation::new().await?;
    let tenants = clinics(&installation, 1).await?;
    let schema = &tenants[0].schema;
    let mut admin = installation.admin().await?;
    let fill = format!(
        "INSERT INTO {schema}.counter (name, n) SELECT 'c' || i, -i FROM generate_series(1, 2500) AS i;
         INSERT INTO {schema}.counter (name, n) VALUES ('stop', -9999)"
    );
    admin.execute(sqlx::raw_sql(AssertSqlSafe(fill))).await?;
    // One row can't be changed until somebody has put it right.
    let held =
        format!("ALTER TABLE {schema}.counter ADD CONSTRAINT counter_held CHECK (name <> 'stop' OR n < 0)");
    admin.execute(AssertSqlSafe(held)).await?;
    let batches = "-- praxis: batches
        UPDATE counter SET n = -n WHERE name IN (SELECT name FROM counter WHERE n < 0 ORDER BY n DESC LIMIT 1000)";
    let migrator = with_steps(&installation.url, [Step::new("m9999_positive", batches)]);
    let left = format!("SELECT count(*) FROM {schema}.counter WHERE n < 0");
    let before = version(&mut admin, schema.as_str()).await?;
    let report = migrator.up(&*installation.keys, &installation.clock, &Options::default(), &|_| {}).await?;
    assert_eq!(report.outcome, Outcome::Failed);
    // Two whole batches are done, and the schema does not say that it is further than it is.
    assert_eq!(sqlx::query_scalar::<_, i64>(AssertSqlSafe(left.clone())).fetch_one(&mut admin).await?, 501);
    assert_eq!(version(&mut admin, schema.as_str()).await?, before);

    admin
        .execute(AssertSqlSafe(format!("ALTER TABLE {schema}.counter DROP CONSTRAINT counter_held")))
        .await?;
    let report = migrator.up(&*installation.keys, &installation.clock, &Options::default(), &|_| {}).await?;
    assert_eq!(report.outcome, Outcome::Done);
    assert_eq!(sqlx::query_scalar::<_, i64>(AssertSqlSafe(left)).fetch_one(&mut admin).await?, 0);
    assert_eq!(version(&mut admin, schema.as_str()).await?, before + 1);
    Ok(())
}
