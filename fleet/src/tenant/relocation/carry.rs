//! Rows from the old home to the new one: all of them at one moment, and then those that were changed.

use futures::{TryStreamExt, future::try_join};
use sqlx::postgres::PgConnection;

use super::{
    Names,
    keys::{Changes, Keyed},
};
use crate::tenant::{
    LifeError, TableSum,
    copy::{self, Sum, qualified},
    run,
};

/// From connection to connection; how many rows.
async fn pipe(
    source: &mut PgConnection,
    out: &str,
    target: &mut PgConnection,
    into: &str,
) -> Result<u64, LifeError> {
    let mut rows = source.copy_out_raw(out).await?;
    let mut input = target.copy_in_raw(into).await?;
    loop {
        match rows.try_next().await {
            Ok(Some(bytes)) => drop(input.send(bytes).await?),
            Ok(None) => return Ok(input.finish().await?),
            Err(error) => {
                input.abort("the old home does not go on").await?;
                return Err(error.into());
            }
        }
    }
}

/// Copies a table whole; how many rows.
pub(super) async fn whole(
    source: &mut PgConnection,
    target: &mut PgConnection,
    names: &Names,
    keyed: &Keyed,
) -> Result<u64, LifeError> {
    let table = qualified(names.schema.as_str(), &keyed.table.name);
    let columns = keyed.table.columns.join(", ");
    let out = format!("COPY {table} ({columns}) TO STDOUT (FORMAT binary)");
    let into = format!("COPY {table} ({columns}) FROM STDIN (FORMAT binary)");
    pipe(source, &out, target, &into).await
}

/// Brings what was changed to the new home, as it is now: rows that are gone go.
pub(super) async fn changed(
    source: &mut PgConnection,
    target: &mut PgConnection,
    names: &Names,
    tables: &[Keyed],
    changes: &Changes,
) -> Result<(), LifeError> {
    for connection in [&mut *source, &mut *target] {
        // By their keys, whatever is known of how many there are.
        let by_key = "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off";
        run(connection, by_key.to_owned()).await?;
    }
    for (place, keys) in &changes.0 {
        let keyed = tables.get(*place).ok_or(LifeError::Malformed("journal"))?;
        let table = qualified(names.schema.as_str(), &keyed.table.name);
        let (is_one, columns) = (keyed.is_one(), keyed.columns());
        // All of them first: one may have got what was unique to another.
        for values in keyed.values(keys) {
            run(target, format!("DELETE FROM {table} t USING {values} WHERE {is_one}")).await?;
        }
        let into = format!("COPY {table} ({}) FROM STDIN (FORMAT binary)", keyed.table.columns.join(", "));
        for values in keyed.values(keys) {
            let out = format!(
                "COPY (SELECT {columns} FROM {values} JOIN {table} t ON {is_one}) TO STDOUT (FORMAT binary)"
            );
            pipe(source, &out, target, &into).await?;
        }
    }
    Ok(())
}

/// Makes sure that the rows of some keys are the same in both homes.
pub(super) async fn compare_changed(
    source: &mut PgConnection,
    target: &mut PgConnection,
    names: &Names,
    tables: &[Keyed],
    changes: &Changes,
) -> Result<(), LifeError> {
    for (place, keys) in &changes.0 {
        let keyed = tables.get(*place).ok_or(LifeError::Malformed("journal"))?;
        let table = qualified(names.schema.as_str(), &keyed.table.name);
        for values in keyed.values(keys) {
            let sql = format!(
                "COPY (SELECT {} FROM {values} JOIN {table} t ON {} ORDER BY {}) TO STDOUT",
                keyed.columns(),
                keyed.is_one(),
                keyed.table.order
            );
            let name = &keyed.table.name;
            same(try_join(sum(source, &sql, name), sum(target, &sql, name)).await?)?;
        }
    }
    Ok(())
}

async fn sum(connection: &mut PgConnection, sql: &str, name: &str) -> Result<TableSum, LifeError> {
    let mut sum = Sum::default();
    let mut rows = connection.copy_out_raw(sql).await?;
    while let Some(bytes) = rows.try_next().await? {
        sum.add(&bytes);
    }
    Ok(sum.of(name))
}

/// Makes sure that all rows are the same in both homes; how many there are. Either may have another name by now.
pub(super) async fn compare_whole(
    (source, old): (&mut PgConnection, &str),
    (target, new): (&mut PgConnection, &str),
    tables: &[Keyed],
) -> Result<u64, LifeError> {
    let mut rows = 0;
    for keyed in tables {
        let read_old = copy::read(source, old, &keyed.table, async |_| Ok(()));
        let read_new = copy::read(target, new, &keyed.table, async |_| Ok(()));
        rows += same(try_join(read_old, read_new).await?)?;
    }
    Ok(rows)
}

fn same((old, new): (TableSum, TableSum)) -> Result<u64, LifeError> {
    if old == new {
        return Ok(old.rows);
    }
    Err(LifeError::Differs { table: old.name, expected: old.rows, found: new.rows })
}

/// Brings counters of the schema to where they are.
pub(super) async fn sequences(
    source: &mut PgConnection,
    target: &mut PgConnection,
    names: &Names,
) -> Result<(), LifeError> {
    let found: Vec<(String, i64)> = sqlx::query_as(
        "SELECT quote_ident(schemaname) || '.' || quote_ident(sequencename), last_value FROM pg_sequences
         WHERE schemaname = $1 AND last_value IS NOT NULL",
    )
    .bind(names.schema.as_str())
    .fetch_all(source)
    .await?;
    for (sequence, value) in found {
        sqlx::query("SELECT setval($1::regclass, $2)")
            .bind(sequence)
            .bind(value)
            .execute(&mut *target)
            .await?;
    }
    Ok(())
}

/// Brings along that work waits, and which recurring work is written down.
pub(super) async fn hints(
    source: &mut PgConnection,
    target: &mut PgConnection,
    names: &Names,
) -> Result<(), LifeError> {
    let schema = names.schema.as_str();
    let ready: Vec<(String, chrono::DateTime<chrono::Utc>)> =
        sqlx::query_as("SELECT DISTINCT queue, run_at FROM cell.ready WHERE tenant = $1")
            .bind(schema)
            .fetch_all(&mut *source)
            .await?;
    let planned: Vec<String> = sqlx::query_scalar("SELECT name FROM cell.planned WHERE tenant = $1")
        .bind(schema)
        .fetch_all(source)
        .await?;
    let (queues, instants): (Vec<_>, Vec<_>) = ready.into_iter().unzip();
    forget_hints(target, names).await?;
    sqlx::query("INSERT INTO cell.ready (tenant, queue, run_at) SELECT $1, * FROM unnest($2::text[], $3::timestamptz[])")
        .bind(schema)
        .bind(queues)
        .bind(instants)
        .execute(&mut *target)
        .await?;
    sqlx::query("INSERT INTO cell.planned (tenant, name) SELECT $1, unnest($2::text[])")
        .bind(schema)
        .bind(planned)
        .execute(target)
        .await?;
    Ok(())
}

/// Forgets what a cell knew of the clinic's work.
pub(super) async fn forget_hints(connection: &mut PgConnection, names: &Names) -> Result<(), LifeError> {
    let schema = &names.schema;
    let sql = format!(
        "DELETE FROM cell.ready WHERE tenant = '{schema}'; DELETE FROM cell.planned WHERE tenant = '{schema}'"
    );
    Ok(run(connection, sql).await?)
}
