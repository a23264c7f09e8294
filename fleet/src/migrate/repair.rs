//! How a schema that drifted is put right: the statements, and on request the deed.
//!
//! Nothing that holds data is dropped: what is there and should not be is shown, and left to whoever made it. Rights
//! that nobody should have are taken away.

use praxis_platform::tenancy::SchemaName;
use sea_orm::ConnectionTrait;
use serde::Serialize;

use super::{
    Drifted, MigrateError, Migrator,
    catalogue::{self, Kind, bare, written_for},
    control::begin,
    drift::{Difference, differences},
};

/// What would be done to put a tenant right.
#[derive(Debug, Clone, Serialize)]
pub struct Repair {
    /// The tenant.
    pub tenant: String,
    /// The statements, in order.
    pub statements: Vec<String>,
    /// Differences that no statement here puts right.
    pub left: Vec<String>,
    /// Whether it was done.
    pub done: bool,
}

/// The statements that put a tenant right, and what they leave.
pub fn repair(drifted: &Drifted) -> Repair {
    let mut repair =
        Repair { tenant: drifted.tenant.clone(), statements: Vec::new(), left: Vec::new(), done: false };
    for difference in &drifted.differences {
        let statements = statements(difference);
        if statements.is_empty() {
            repair.left.push(difference.object.to_string());
        }
        repair.statements.extend(statements);
    }
    if let Some(schema) = &drifted.schema {
        repair.statements.iter_mut().for_each(|text| *text = written_for(text, schema));
    }
    repair
}

/// How one difference is put right; nothing where that is not for us to decide.
fn statements(difference: &Difference) -> Vec<String> {
    let Difference { object, expected, found } = difference;
    let table = format!("{{schema}}.{}", object.table);
    let alter = |change: String| format!("ALTER TABLE {table} {change}");
    let name = &object.name;
    match (object.kind, expected.as_deref(), found.as_deref()) {
        (Kind::Table, Some(_), None) => vec![format!("CREATE TABLE {{schema}}.{name} ()")],
        (Kind::Column, Some(expected), None) => vec![alter(format!("ADD COLUMN {name} {expected}"))],
        (Kind::Column, Some(expected), Some(_)) if !expected.contains("GENERATED") => {
            vec![alter(format!("ALTER COLUMN {name} TYPE {expected} USING {name}::{expected}"))]
        }
        (Kind::Default, Some(expected), _) => {
            vec![alter(format!("ALTER COLUMN {name} SET DEFAULT {expected}"))]
        }
        (Kind::Default, None, _) => vec![alter(format!("ALTER COLUMN {name} DROP DEFAULT"))],
        (Kind::NotNull, Some(_), _) => vec![alter(format!("ALTER COLUMN {name} SET NOT NULL"))],
        (Kind::NotNull, None, _) => vec![alter(format!("ALTER COLUMN {name} DROP NOT NULL"))],
        (Kind::Function, Some(expected), _) => vec![expected.trim_end().to_owned()],
        (Kind::Constraint, Some(expected), found) => {
            let drop = found.map(|_| alter(format!("DROP CONSTRAINT {name}")));
            drop.into_iter().chain([alter(format!("ADD CONSTRAINT {name} {expected}"))]).collect()
        }
        (Kind::Index, Some(expected), found) => {
            let drop = found.map(|_| format!("DROP INDEX {name}"));
            drop.into_iter().chain([expected.to_owned()]).collect()
        }
        (Kind::View, Some(expected), found) => {
            let drop = found.map(|_| format!("DROP VIEW {{schema}}.{name}"));
            drop.into_iter().chain([format!("CREATE VIEW {{schema}}.{name} AS {expected}")]).collect()
        }
        (Kind::Trigger, Some(expected), found) => {
            let drop = found.map(|_| format!("DROP TRIGGER {name} ON {table}"));
            drop.into_iter().chain([expected.to_owned()]).collect()
        }
        (Kind::Right, expected, _) => {
            right(object.table.as_str(), name, expected.is_some()).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// `role RIGHT` or `role RIGHT (column)` on a table, or on `FUNCTION name(types)`.
fn right(on: &str, name: &str, given: bool) -> Option<String> {
    let (role, right) = name.split_once(' ')?;
    let on = if on.starts_with("FUNCTION ") { on.to_owned() } else { format!("{{schema}}.{on}") };
    Some(match given {
        true => format!("GRANT {right} ON {on} TO {role}"),
        false => format!("REVOKE {right} ON {on} FROM {role}"),
    })
}

impl Migrator {
    /// Puts a tenant right in one transaction, and only if nothing of what the statements are for differs after them.
    pub async fn put_right(&self, drifted: &Drifted) -> Result<Repair, MigrateError> {
        let mut repair = repair(drifted);
        let Some(schema) = &drifted.schema else { return Ok(repair) };
        let installation = self.installation().await?;
        let reference = self.reference(&installation, drifted.version).await?;
        let db = self.connect(1).await?;
        let transaction = begin(&db).await?;
        let context = format!("SET LOCAL lock_timeout = 2000; SET LOCAL ROLE {}", installation.owner_role());
        transaction.execute_unprepared(&context).await?;
        bare(&transaction).await?;
        for text in &repair.statements {
            transaction.execute_unprepared(text).await.map_err(|source| failed(schema, text, source))?;
        }
        let after = differences(&reference.catalogue, &catalogue::read(&transaction, schema.as_str()).await?);
        repair.left = after.iter().map(|difference| difference.object.to_string()).collect();
        if let Some(still) = after.iter().find(|difference| !statements(difference).is_empty()) {
            return Err(MigrateError::NotRepaired(drifted.tenant.clone(), still.object.to_string()));
        }
        transaction.commit().await?;
        repair.done = true;
        Ok(repair)
    }
}

fn failed(schema: &SchemaName, text: &str, source: sea_orm::DbErr) -> MigrateError {
    let first = text.lines().next().unwrap_or_default();
    MigrateError::Step { step: format!("repair of {schema} ({first})"), source }
}
