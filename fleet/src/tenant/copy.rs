//! The rows of a schema's tables, out and in, by `COPY` as text.
//!
//! Never `pg_dump`: that reads the catalogue of all clinics for one of them. Rows come in the order of their
//! primary key and in settings that are always the same, so that equal tables give equal bytes, and one hash
//! says whether they are.

use data_encoding::HEXLOWER;
use futures::TryStreamExt;
use praxis_platform::vault::crypto::Digest;
use sqlx::postgres::PgConnection;

use super::{LifeError, TableSum, run};

/// How values are written, whatever the server's or the operator's own settings are.
pub(super) const FORM: &str =
    "SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL intervalstyle = 'postgres';
    SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'; SET LOCAL search_path = pg_catalog;
    SET LOCAL statement_timeout = 0";

/// A table, and how its rows are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    /// Its name, ready for SQL.
    pub name: String,
    /// Its columns without those that the database computes, ready for SQL.
    pub columns: Vec<String>,
    /// Its primary key, ready for SQL.
    pub order: String,
}

/// A table of a schema, in SQL. Schemas are called so that they need no quotes.
pub(super) fn qualified(schema: &str, table: &str) -> String {
    format!("{schema}.{table}")
}

/// Begins to read a schema as it is at one moment. No step changes its tables until the end.
pub(super) async fn at_one_moment(
    transaction: &mut PgConnection,
    schema: &str,
) -> Result<Vec<Table>, LifeError> {
    run(transaction, format!("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; {FORM}")).await?;
    let tables = tables(transaction, schema).await?;
    let names: Vec<_> = tables.iter().map(|table| qualified(schema, &table.name)).collect();
    if names.is_empty() {
        return Err(LifeError::Refused("the tenant has no tables".to_owned()));
    }
    run(transaction, format!("LOCK TABLE {} IN ACCESS SHARE MODE", names.join(", "))).await?;
    Ok(tables)
}

/// Begins to write a schema's rows. Triggers and references stay silent: the rows were checked when they were
/// made, and none of them is new.
pub(super) async fn to_write(transaction: &mut PgConnection) -> Result<(), LifeError> {
    Ok(run(transaction, format!("{FORM}; SET LOCAL session_replication_role = replica")).await?)
}

/// The tables of a schema, by name.
pub(super) async fn tables(connection: &mut PgConnection, schema: &str) -> Result<Vec<Table>, LifeError> {
    let rows: Vec<(String, Vec<String>, Option<String>)> = sqlx::query_as(
        r#"SELECT quote_ident(c.relname),
            array(SELECT quote_ident(a.attname) FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
                ORDER BY a.attnum),
            (SELECT string_agg(quote_ident(a.attname) || CASE WHEN a.attcollation <> 0 THEN ' COLLATE "C"' ELSE '' END, ', ' ORDER BY k.n)
                FROM pg_index i CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, n)
                JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
                WHERE i.indrelid = c.oid AND i.indisprimary)
        FROM pg_class c WHERE c.relnamespace = to_regnamespace($1) AND c.relkind = 'r'
        ORDER BY c.relname COLLATE "C""#,
    )
    .bind(schema)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(name, columns, order)| {
            Ok(Table { name, columns, order: order.ok_or(LifeError::Malformed("table without a key"))? })
        })
        .collect()
}

/// Reads a table, hands its rows on, and says how many there were and what they hash to.
pub(super) async fn read(
    connection: &mut PgConnection,
    schema: &str,
    table: &Table,
    mut take: impl AsyncFnMut(&[u8]) -> Result<(), LifeError>,
) -> Result<TableSum, LifeError> {
    let sql = format!(
        "COPY (SELECT {} FROM {} ORDER BY {}) TO STDOUT",
        table.columns.join(", "),
        qualified(schema, &table.name),
        table.order
    );
    let mut sum = Sum::default();
    let mut rows = connection.copy_out_raw(&sql).await?;
    while let Some(bytes) = rows.try_next().await? {
        sum.add(&bytes);
        take(&bytes).await?;
    }
    Ok(sum.of(&table.name))
}

/// What a table comes to: a row is a line, and no value has a line feed that is not escaped.
#[derive(Default)]
pub(super) struct Sum {
    rows: u64,
    digest: Digest,
}

impl Sum {
    /// Takes the next rows.
    pub fn add(&mut self, bytes: &[u8]) {
        self.rows += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.digest.update(bytes);
    }

    /// The sum of the table.
    pub fn of(self, table: &str) -> TableSum {
        TableSum { name: table.to_owned(), rows: self.rows, sha256: HEXLOWER.encode(&self.digest.finish()) }
    }
}

/// Makes sure that the tables of a schema hold what they should.
pub(super) async fn compare(
    connection: &mut PgConnection,
    schema: &str,
    expected: &[TableSum],
) -> Result<(), LifeError> {
    let tables = tables(connection, schema).await?;
    if tables.len() != expected.len() {
        return Err(LifeError::Malformed("list of tables"));
    }
    for (table, expected) in tables.iter().zip(expected) {
        let found = read(connection, schema, table, async |_| Ok(())).await?;
        if found != *expected {
            let (table, expected) = (expected.name.clone(), expected.rows);
            return Err(LifeError::Differs { table, expected, found: found.rows });
        }
    }
    Ok(())
}
