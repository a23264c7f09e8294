//! What the plan says of a statement's locks is what Postgres takes.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use praxis_migration::{
    Way,
    locks::{Mode, Own},
    tenant,
};
use sqlx::{AssertSqlSafe, Connection, Executor, postgres::PgConnection};

use crate::support::installation::empty_database;

/// Weaker locks are in nobody's way, and functions that a statement calls take them as they please.
const FROM: Mode = Mode::ShareUpdateExclusive;

const HELD: &str = "SELECT c.relname::text, l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
    WHERE l.pid = pg_backend_pid() AND c.relkind = 'r' AND c.relnamespace = 'scratch'::regnamespace";

/// The strongest lock held on each table of the scratch schema.
async fn held(connection: &mut PgConnection) -> Result<BTreeMap<String, Mode>> {
    let rows: Vec<(String, String)> = sqlx::query_as(HELD).fetch_all(connection).await?;
    let mut held = BTreeMap::new();
    for (table, mode) in rows {
        let mode = match mode.as_str() {
            "ShareUpdateExclusiveLock" => Mode::ShareUpdateExclusive,
            "ShareLock" => Mode::Share,
            "ShareRowExclusiveLock" => Mode::ShareRowExclusive,
            "ExclusiveLock" => Mode::Exclusive,
            "AccessExclusiveLock" => Mode::AccessExclusive,
            _ => continue,
        };
        let strongest = held.entry(table).or_insert(mode);
        *strongest = (*strongest).max(mode);
    }
    Ok(held)
}

async fn tables(connection: &mut PgConnection) -> Result<BTreeSet<String>> {
    let sql =
        "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'scratch'::regnamespace";
    Ok(sqlx::query_scalar(sql).fetch_all(connection).await?.into_iter().collect())
}

#[tokio::test]
async fn the_plan_tells_the_locks_that_postgres_takes() -> Result<()> {
    let mut connection = PgConnection::connect(&empty_database().await?).await?;
    let make = "CREATE SCHEMA ext; CREATE EXTENSION btree_gist SCHEMA ext; CREATE SCHEMA scratch;
        SET search_path = scratch; SELECT set_config('praxis.role', current_user, false)";
    connection.execute(sqlx::raw_sql(make)).await?;
    let (mut compared, mut strong) = (0, 0);
    for step in tenant::steps() {
        let before = tables(&mut connection).await?;
        let mut own = Own::default();
        let transactional = step.way() == Way::Transaction;
        if transactional {
            connection.execute("BEGIN").await?;
        }
        let mut had = BTreeMap::new();
        for statement in step.statements() {
            let told: BTreeMap<String, Mode> = own
                .locks(&statement)
                .into_iter()
                .filter(|lock| lock.mode >= FROM && before.contains(&lock.table))
                .map(|lock| (lock.table, lock.mode))
                .collect();
            connection.execute(sqlx::raw_sql(AssertSqlSafe(statement.text.to_owned()))).await?;
            let mut has = held(&mut connection).await?;
            has.retain(|table, _| before.contains(table));
            // What a block does can't be seen; later steps may not have one.
            if transactional && !statement.begins(&["do"]) {
                for (table, mode) in &has {
                    let new = had.get(table) != Some(mode);
                    assert!(
                        !new || told.get(table) == Some(mode),
                        "{}: {}: took {mode} on {table}, told {told:?}",
                        step.name(),
                        statement.text
                    );
                }
                for (table, mode) in &told {
                    assert!(
                        has.get(table) >= Some(mode),
                        "{}: {}: told {mode} on {table}, took {has:?}",
                        step.name(),
                        statement.text
                    );
                }
                compared += 1;
                strong += told.len();
            }
            had = has;
        }
        if transactional {
            connection.execute("COMMIT").await?;
        }
    }
    assert!(compared > 500 && strong > 50, "{compared} statements with {strong} strong locks");
    Ok(())
}
