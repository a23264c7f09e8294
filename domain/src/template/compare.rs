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

    /// Whether it is the template's row: by its id, or by where it is from, for a sandbox has rows under other ids.
    fn is_of(&self, wanted: &SeedRow) -> bool {
        self.id == wanted.id || self.text("template_key") == Some(&wanted.key)
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
        let own = stored.iter().find(|stored| stored.is_of(row));
        let in_its_place = stored.iter().find(|stored| !stored.is_of(row) && stored.stands_for(row));
        let fate = match (own, in_its_place) {
            (None, None) => Fate::Added,
            (None, Some(_)) => Fate::Conflict,
            (Some(stored), in_its_place) => match of_two(stored, row)? {
                Fate::Renewed if in_its_place.is_some() => Fate::Conflict,
                fate => fate,
            },
        };
        let after = SeedRow { id: own.map_or(row.id, |stored| stored.id), ..(*row).clone() };
        let before = own.or(in_its_place).cloned();
        Some(Change { kind, key: row.key.clone(), fate, before, after: Some(after) })
    });
    let mut changes: Vec<_> = judged.collect();
    let left = stored.into_iter().filter(|stored| !wanted.iter().any(|row| stored.is_of(row)));
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

#[cfg(test)]
mod tests {
    use praxis_platform::{
        template::{Source, Template},
        tenancy::seed::seed_rows,
    };
    use serde_json::json;

    use super::*;

    const CLINIC: Uuid = Uuid::from_u128(1);

    fn template() -> Vec<SeedRow> {
        seed_rows(&Template::load(&Source::shipped(), "general-practice").unwrap(), CLINIC)
    }

    fn of(kind: Kind, rows: &[SeedRow]) -> Vec<&SeedRow> {
        rows.iter().filter(|row| row.kind == kind).collect()
    }

    /// A row as the template gave it, under an id.
    fn given(row: &SeedRow, id: Uuid) -> Stored {
        let mut content = row.content.clone();
        content.extend([
            ("template_key".to_owned(), json!(row.key)),
            ("template_hash".to_owned(), json!(row.hash)),
        ]);
        let permissions =
            row.parts.iter().filter_map(|part| part.get("permission")?.as_str().map(str::to_owned));
        Stored { id, permissions: permissions.collect(), row: content }
    }

    #[test]
    fn a_sandbox_has_the_rows_of_the_template_under_other_ids() {
        let rows = template();
        for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Rule) {
            let wanted = of(kind, &rows);
            let elsewhere = |row: &&SeedRow| given(row, Uuid::new_v5(&row.id, b"sandbox"));
            let mut stored: Vec<_> = wanted.iter().map(elsewhere).collect();
            assert_eq!(compare(kind, &wanted, stored.clone()).len(), 0, "{kind:?}");
            let first = stored.first_mut().unwrap();
            first.row.insert("template_hash".to_owned(), json!("older"));
            let (id, changes) = (first.id, compare(kind, &wanted, stored));
            let [change] = &changes[..] else { panic!("{changes:?}") };
            assert_eq!((change.fate, change.after.as_ref().map(|row| row.id)), (Fate::Renewed, Some(id)));
        }
    }

    #[test]
    fn a_field_policy_whose_place_the_clinic_took_is_a_conflict_and_not_written() {
        let rows = template();
        let wanted = of(Kind::FieldPolicy, &rows);
        let mut stored: Vec<_> = wanted.iter().map(|row| given(row, row.id)).collect();
        let now = wanted.first().unwrap();
        // The template asked for another permission before; the clinic's own policy asks for the one of now.
        let before = stored.first_mut().unwrap();
        before.row.extend([
            ("permission".to_owned(), json!("patient:read")),
            ("template_hash".to_owned(), json!("older")),
        ]);
        stored.push(Stored { id: CLINIC, row: now.content.clone(), permissions: BTreeSet::new() });
        let changes = compare(Kind::FieldPolicy, &wanted, stored);
        assert_eq!(changes.iter().map(|change| change.fate).collect::<Vec<_>>(), [Fate::Conflict]);
    }
}
