//! A clinic's rows beside those of its template.

use std::collections::BTreeSet;

use praxis_platform::{
    Failure, Op, Write,
    tenancy::seed::{Kind, SeedRow},
};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::plan::{Change, Fate};
use crate::Result;

/// A row of the clinic.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its id.
    pub id: Uuid,
    /// Its columns.
    pub row: Map<String, Value>,
    /// What a role permits.
    pub permissions: BTreeSet<String>,
}

impl Stored {
    /// A column of text.
    pub fn text(&self, column: &str) -> Option<&str> {
        self.row.get(column).and_then(Value::as_str)
    }

    fn holds(&self, column: &str) -> bool {
        self.row.get(column) == Some(&Value::Bool(true))
    }

    /// Whether the clinic changed it, or took it out of use. What the template took out of use has no hash.
    fn is_own(&self) -> bool {
        self.holds("customised") || (self.holds("retired") && self.text("template_hash").is_some())
    }

    /// Whether it says what the template says.
    fn says(&self, wanted: &SeedRow) -> bool {
        let columns = wanted.content.iter().all(|(column, value)| self.row.get(column) == Some(value));
        let permitted = wanted.parts.iter().filter_map(|part| part.get("permission")?.as_str());
        columns && permitted.collect::<BTreeSet<_>>() == self.permissions.iter().map(String::as_str).collect()
    }

    /// Whether it stands where the template's row would have to.
    fn stands_for(&self, wanted: &SeedRow) -> bool {
        let unique = wanted.kind.unique();
        !unique.is_empty() && unique.iter().all(|column| self.row.get(*column) == wanted.content.get(*column))
    }
}

/// The rows of a kind, locked.
pub async fn stored(op: &Op<Write>, kind: Kind) -> Result<Vec<Stored>> {
    let permissions = match kind {
        Kind::Role => "ARRAY(SELECT permission FROM role_permission p WHERE p.role_id = t.id)",
        _ => "'{}'::text[]",
    };
    let sql = format!(
        "SELECT id, to_jsonb(t) AS content, {permissions} AS permissions FROM {} t ORDER BY id FOR NO KEY UPDATE OF t",
        kind.table()
    );
    let rows = op.db().query_all_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, [])).await?;
    let read = |row: &sea_orm::QueryResult| {
        let Value::Object(content) = row.try_get("", "content")? else {
            return Err(Failure::Internal("a row that is no object".to_owned()).into());
        };
        let permissions: Vec<String> = row.try_get("", "permissions")?;
        Ok(Stored {
            id: row.try_get("", "id")?,
            row: content,
            permissions: permissions.into_iter().collect(),
        })
    };
    rows.iter().map(read).collect()
}

/// What becomes of rows that change in place.
pub fn compare(kind: Kind, wanted: &[&SeedRow], stored: Vec<Stored>) -> Vec<Change> {
    let judged = wanted.iter().filter_map(|row| {
        let found = stored.iter().find(|stored| stored.id == row.id);
        let found = found.or_else(|| stored.iter().find(|stored| stored.stands_for(row)));
        let fate = match found {
            None => Fate::Added,
            Some(stored) if stored.id != row.id => Fate::Conflict,
            Some(stored) => of_two(stored, row)?,
        };
        Some(Change { kind, key: row.key.clone(), fate, before: found.cloned(), after: Some((*row).clone()) })
    });
    let mut changes: Vec<_> = judged.collect();
    let left = stored.into_iter().filter(|stored| !wanted.iter().any(|row| row.id == stored.id));
    changes.extend(left.filter_map(|stored| {
        let key = stored.text("template_key").filter(|_| stored.text("template_hash").is_some())?.to_owned();
        if stored.holds("retired") {
            return None;
        }
        let fate = if stored.is_own() || !kind.retires() { Fate::Conflict } else { Fate::Retired };
        Some(Change { kind, key, fate, before: Some(stored), after: None })
    }));
    changes
}

/// What becomes of a row that is there; nothing when it is as the template has it.
fn of_two(stored: &Stored, wanted: &SeedRow) -> Option<Fate> {
    let (news, same) = (stored.text("template_hash") != Some(&wanted.hash), stored.says(wanted));
    if stored.is_own() {
        return Some(if news && !same { Fate::Conflict } else { Fate::Kept });
    }
    (news || !same).then_some(Fate::Renewed)
}
