//! What is made at the old home for the time of the move: a journal of what is changed, and the fence.
//!
//! The journal lies in a schema of its own. Triggers write the key of each row that is changed into it, in the
//! transaction that changes it; they fire for everybody, superusers and replicas included. They are also the fence: once the
//! journal takes nothing any more, no row of the clinic can be changed here, by whomever.

use std::time::Duration;

use sqlx::{Connection, postgres::PgConnection};
use tokio::time::sleep;

use super::{
    Names,
    keys::{Changes, Keyed},
};
use crate::tenant::{LifeError, copy::qualified, run};

/// How long a table's writers may be held up by one attempt. A vacuum that nobody asked for gives way to whoever has waited
/// for so long that a deadlock is looked for.
const BRIEF: &str = "SET LOCAL lock_timeout = '80ms'; SET LOCAL deadlock_timeout = '20ms'; SET LOCAL client_min_messages = warning; SET LOCAL statement_timeout = 0";
/// Between two attempts.
const BREATH: Duration = Duration::from_millis(150);
/// Attempts at one table: a minute or so.
const ATTEMPTS: u32 = 300;

/// Begins to write down what is changed. When it returns, whatever is committed later is written down.
pub(super) async fn watch(
    source: &mut PgConnection,
    names: &Names,
    tables: &[Keyed],
) -> Result<(), LifeError> {
    let journal = &names.journal;
    // Unlogged: it is of no use without the connection that reads it, which does not outlive the server.
    let made = format!(
        "CREATE SCHEMA {journal};
         CREATE UNLOGGED TABLE {journal}.changed (place integer NOT NULL, key text[] NOT NULL);
         CREATE FUNCTION {journal}.closed() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
         BEGIN
            RAISE EXCEPTION USING ERRCODE = 'PX007', MESSAGE = 'the tenant moves to another cell';
         END $$"
    );
    let mut transaction = source.begin().await?;
    run(&mut transaction, made).await?;
    for (place, keyed) in tables.iter().enumerate() {
        run(&mut transaction, function(journal, place, keyed)).await?;
    }
    transaction.commit().await?;
    for (place, keyed) in tables.iter().enumerate() {
        let table = qualified(names.schema.as_str(), &keyed.table.name);
        let trigger = format!(
            "CREATE TRIGGER px_moving AFTER INSERT OR UPDATE OR DELETE ON {table}
                FOR EACH ROW EXECUTE FUNCTION {journal}.note_{place}();
             ALTER TABLE {table} ENABLE ALWAYS TRIGGER px_moving"
        );
        patiently(source, &trigger).await?;
    }
    Ok(())
}

fn function(journal: &str, place: usize, keyed: &Keyed) -> String {
    let (old, new, settings) = (keyed.noted("OLD"), keyed.noted("NEW"), keyed.settings());
    format!(
        "CREATE FUNCTION {journal}.note_{place}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
         SET search_path = pg_catalog {settings} AS $$
         BEGIN
            IF TG_OP <> 'INSERT' THEN
                INSERT INTO {journal}.changed VALUES ({place}, {old});
            END IF;
            IF TG_OP = 'INSERT' OR TG_OP = 'UPDATE' AND {new} IS DISTINCT FROM {old} THEN
                INSERT INTO {journal}.changed VALUES ({place}, {new});
            END IF;
            RETURN NULL;
         END $$"
    )
}

/// Takes from the journal what the transaction sees of it.
pub(super) async fn take(transaction: &mut PgConnection, names: &Names) -> Result<Changes, LifeError> {
    let sql = format!("DELETE FROM {}.changed RETURNING place, key", names.journal);
    let rows: Vec<(i32, Vec<String>)> =
        sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(transaction).await?;
    let mut changes = Changes::default();
    for (place, key) in rows {
        let place = usize::try_from(place).map_err(|_| LifeError::Malformed("journal"))?;
        changes.0.entry(place).or_default().insert(key);
    }
    Ok(changes)
}

/// Has writers wait, until the transaction ends: first those that are about to begin, so that those under way come to their
/// end, and then whoever writes without a transaction.
pub(super) async fn hold_writers(
    transaction: &mut PgConnection,
    names: &Names,
    tables: &[Keyed],
) -> Result<(), sqlx::Error> {
    let schema = &names.schema;
    let all: Vec<_> = tables.iter().map(|keyed| qualified(schema.as_str(), &keyed.table.name)).collect();
    run(
        transaction,
        format!(
            "SET LOCAL lock_timeout = '400ms'; SET LOCAL statement_timeout = 0;
             SELECT pg_advisory_xact_lock(hashtextextended('px-home {schema}', 0));
             SET LOCAL lock_timeout = '100ms'; SET LOCAL deadlock_timeout = '20ms';
             LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE",
            all.join(", ")
        ),
    )
    .await
}

/// Closes the old home to writers for good, when the transaction commits. Reading goes on.
pub(super) async fn fence(transaction: &mut PgConnection, names: &Names) -> Result<(), sqlx::Error> {
    let Names { journal, schema, .. } = names;
    run(
        transaction,
        format!(
            "INSERT INTO cell.moved (tenant) VALUES ('{schema}');
             CREATE TRIGGER closed BEFORE INSERT ON {journal}.changed EXECUTE FUNCTION {journal}.closed();
             ALTER TABLE {journal}.changed ENABLE ALWAYS TRIGGER closed"
        ),
    )
    .await
}

/// Takes everything back: the clinic goes on here.
pub(super) async fn unwatch(source: &mut PgConnection, names: &Names) -> Result<(), LifeError> {
    let Names { journal, schema, .. } = names;
    let is_there: bool = sqlx::query_scalar("SELECT to_regnamespace($1) IS NOT NULL")
        .bind(journal)
        .fetch_one(&mut *source)
        .await?;
    // The fence first, and at once: the clinic can't write.
    let mut transaction = source.begin().await?;
    let mut open =
        format!("SET LOCAL client_min_messages = warning; DELETE FROM cell.moved WHERE tenant = '{schema}'");
    if is_there {
        open += &format!("; DROP TRIGGER IF EXISTS closed ON {journal}.changed");
    }
    run(&mut transaction, open).await?;
    transaction.commit().await?;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT quote_ident(c.relname) FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
         WHERE c.relnamespace = to_regnamespace($1) AND g.tgname = 'px_moving' AND NOT g.tgisinternal",
    )
    .bind(schema.as_str())
    .fetch_all(&mut *source)
    .await?;
    for table in tables {
        let table = qualified(schema.as_str(), &table);
        patiently(source, &format!("DROP TRIGGER px_moving ON {table}")).await?;
    }
    patiently(source, &format!("DROP SCHEMA IF EXISTS {journal} CASCADE")).await
}

/// Changes a table that others use, without holding them up: what is not had at once is tried again.
pub(super) async fn patiently(connection: &mut PgConnection, sql: &str) -> Result<(), LifeError> {
    let mut attempt = 1;
    loop {
        let mut transaction = connection.begin().await?;
        match run(&mut transaction, format!("{BRIEF}; {sql}")).await {
            Ok(()) => return Ok(transaction.commit().await?),
            Err(error) if is_contention(&error) && attempt < ATTEMPTS => {
                transaction.rollback().await?;
                attempt += 1;
                sleep(BREATH).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Somebody else had what was wanted, for too long or the other way round.
pub(super) fn is_contention(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| matches!(&*code, "55P03" | "40P01" | "40001"))
}
