//! Which rows of which tables were changed: their primary keys, as text.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::postgres::PgConnection;

use crate::tenant::{
    LifeError,
    copy::{Table, tables},
};

/// A table, with its primary key.
pub(super) struct Keyed {
    /// The table.
    pub table: Table,
    /// The columns of its key and their types, ready for SQL.
    key: Vec<(String, String)>,
}

/// What was changed since somebody looked last: tables by their place in the list, and the keys of their rows.
#[derive(Default)]
pub(super) struct Changes(pub BTreeMap<usize, BTreeSet<Vec<String>>>);

impl Changes {
    /// How many rows.
    pub fn len(&self) -> usize {
        self.0.values().map(BTreeSet::len).sum()
    }
}

/// Types whose text is the same whatever a session is set to.
const PLAIN: [&str; 6] = ["uuid", "text", "integer", "bigint", "smallint", "boolean"];
/// Keys that go into one statement.
const AT_ONCE: usize = 1_000;

/// The tables of a schema with their keys, by name.
pub(super) async fn keyed(connection: &mut PgConnection, schema: &str) -> Result<Vec<Keyed>, LifeError> {
    let rows: Vec<(String, Vec<String>, Vec<String>)> = sqlx::query_as(
        r#"SELECT quote_ident(c.relname), array_agg(quote_ident(a.attname) ORDER BY k.n),
            array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY k.n)
        FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
            CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, n)
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
        WHERE c.relnamespace = to_regnamespace($1) AND c.relkind = 'r'
        GROUP BY c.relname"#,
    )
    .bind(schema)
    .fetch_all(&mut *connection)
    .await?;
    let mut keys: BTreeMap<String, Vec<(String, String)>> = rows
        .into_iter()
        .map(|(name, columns, types)| (name, columns.into_iter().zip(types).collect()))
        .collect();
    let tables = tables(connection, schema).await?;
    tables
        .into_iter()
        .map(|table| {
            let key = keys.remove(&table.name).ok_or(LifeError::Malformed("table without a key"))?;
            Ok(Keyed { table, key })
        })
        .collect()
}

impl Keyed {
    /// What a trigger writes down of a row.
    pub fn noted(&self, row: &str) -> String {
        let columns = self.key.iter().map(|(column, _)| format!("{row}.{column}::text"));
        format!("ARRAY[{}]", columns.collect::<Vec<_>>().join(", "))
    }

    /// Settings without which the text of a key would depend on the session.
    pub fn settings(&self) -> &'static str {
        if self.key.iter().all(|(_, kind)| PLAIN.contains(&kind.as_str())) {
            ""
        } else {
            "SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET extra_float_digits = 1 SET bytea_output = 'hex'"
        }
    }

    /// The keys as tables of values, so many in each that a statement can hold them, called `k`.
    pub fn values<'a>(&'a self, keys: &'a BTreeSet<Vec<String>>) -> impl Iterator<Item = String> + 'a {
        let all: Vec<_> = keys.iter().collect();
        let chunks: Vec<_> = all.chunks(AT_ONCE).map(|chunk| self.chunk(chunk)).collect();
        chunks.into_iter()
    }

    fn chunk(&self, keys: &[&Vec<String>]) -> String {
        let row = |key: &&Vec<String>| {
            let parts =
                key.iter().zip(&self.key).map(|(part, (_, kind))| format!("{}::{kind}", quoted(part)));
            format!("({})", parts.collect::<Vec<_>>().join(", "))
        };
        let rows: Vec<_> = keys.iter().map(row).collect();
        let names: Vec<_> = (0..self.key.len()).map(|n| format!("k{n}")).collect();
        format!("(VALUES {}) AS k ({})", rows.join(", "), names.join(", "))
    }

    /// The condition that a row `t` has a key of `k`.
    pub fn is_one(&self) -> String {
        let parts = self.key.iter().enumerate().map(|(n, (column, _))| format!("t.{column} = k.k{n}"));
        parts.collect::<Vec<_>>().join(" AND ")
    }

    /// The columns of a row `t`.
    pub fn columns(&self) -> String {
        let columns = self.table.columns.iter().map(|column| format!("t.{column}"));
        columns.collect::<Vec<_>>().join(", ")
    }
}

/// A text in SQL.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_quote_does_not_end_a_text() {
        assert_eq!(quoted("o'neill"), "'o''neill'");
    }
}
