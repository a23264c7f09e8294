//! The statements that write rows of templates: few, whatever the number of rows.

use serde_json::{Value, json};
use uuid::Uuid;

use super::rows::{Kind, SeedRow};

/// A statement with its only parameter: rows as JSON. It names no schema.
#[derive(Debug, Clone)]
pub struct SeedStatement {
    /// The statement.
    pub sql: String,
    /// The parameter.
    pub rows: Value,
}

/// Writes rows of one kind that are not there.
pub fn insert(kind: Kind, rows: &[&SeedRow]) -> Vec<SeedStatement> {
    let Some(first) = rows.first() else { return Vec::new() };
    let (table, columns) = (kind.table(), columns(first));
    let whole = json!(rows.iter().map(|row| whole(row)).collect::<Vec<_>>());
    let sql = format!("INSERT INTO {table} (id, {columns}) SELECT id, {columns} FROM {}", given(table));
    let mut statements = vec![SeedStatement { sql, rows: whole.clone() }];
    statements.extend(add_parts(kind, rows));
    if kind == Kind::Rule {
        for status in ["TESTED", "ACTIVE"] {
            let sql =
                format!("UPDATE rule SET status = '{status}' WHERE id IN (SELECT id FROM {})", given(table));
            statements.push(SeedStatement { sql, rows: whole.clone() });
        }
    }
    statements
}

/// Brings rows that are there to what the template says; those out of use are in use again. Rules are not among them:
/// an edition never changes.
pub fn renew(kind: Kind, rows: &[&SeedRow]) -> Vec<SeedStatement> {
    let Some(first) = rows.first() else { return Vec::new() };
    let (table, columns) = (kind.table(), columns(first));
    let set: Vec<_> = columns.split(", ").map(|column| format!("{column} = n.{column}")).collect();
    let back = if kind.retires() { ", retired = false" } else { "" };
    let sql = format!(
        "UPDATE {table} AS t SET {}{back} FROM {} AS n WHERE t.id = n.id",
        set.join(", "),
        given(table)
    );
    let mut statements =
        vec![SeedStatement { sql, rows: json!(rows.iter().map(|row| whole(row)).collect::<Vec<_>>()) }];
    if let Some((parts, parent, column)) = kind.parts() {
        let sql = format!(
            "DELETE FROM {parts} AS p USING (SELECT {parent}, array_agg({column}) AS kept FROM {} GROUP BY 1) AS n
                WHERE p.{parent} = n.{parent} AND p.{column} <> ALL (n.kept)",
            given(parts)
        );
        statements.push(SeedStatement { sql, rows: all_parts(parent, rows) });
        statements.extend(add_parts(kind, rows));
    }
    statements
}

/// Takes rows out of use. That the hash is gone says that it was the template's doing, and not the clinic's.
pub fn retire(kind: Kind, ids: &[Uuid]) -> SeedStatement {
    let table = kind.table();
    let set = if kind == Kind::Rule { "status = 'RETIRED'" } else { "retired = true, template_hash = NULL" };
    let sql = format!("UPDATE {table} SET {set} WHERE id IN (SELECT id FROM {})", given(table));
    SeedStatement { sql, rows: json!(ids.iter().map(|id| json!({ "id": id })).collect::<Vec<_>>()) }
}

/// What hangs on rows, where it is not there yet.
fn add_parts(kind: Kind, rows: &[&SeedRow]) -> Option<SeedStatement> {
    let (parts, parent, columns) = kind.parts()?;
    // A permission that is there stays under the condition that the clinic gave it.
    let sql = format!(
        "INSERT INTO {parts} ({parent}, {columns}) SELECT {parent}, {columns} FROM {} ON CONFLICT DO NOTHING",
        given(parts)
    );
    Some(SeedStatement { sql, rows: all_parts(parent, rows) })
}

fn all_parts(parent: &str, rows: &[&SeedRow]) -> Value {
    let of = |row: &&SeedRow| {
        let id = json!(row.id);
        let parts = row.parts.clone().into_iter();
        parts.map(move |mut part| {
            part.insert(parent.to_owned(), id.clone());
            Value::Object(part)
        })
    };
    rows.iter().flat_map(of).collect()
}

/// The parameter as rows of a table.
fn given(table: &str) -> String {
    format!("jsonb_populate_recordset(NULL::{table}, $1)")
}

fn columns(row: &SeedRow) -> String {
    let content = row.content.keys().map(String::as_str);
    content.chain(["template_key", "template_hash"]).collect::<Vec<_>>().join(", ")
}

fn whole(row: &SeedRow) -> Value {
    let mut whole = row.content.clone();
    whole.insert("id".to_owned(), json!(row.id));
    whole.insert("template_key".to_owned(), json!(row.key));
    whole.insert("template_hash".to_owned(), json!(row.hash));
    Value::Object(whole)
}
