//! How a schema that drifted is put right: the statements, and on request the deed.
//!
//! Nothing that holds data is dropped, and no value is changed: what is there and should not be is shown, and left to
//! whoever made it. Rights that nobody should have are taken away.

use std::collections::BTreeSet;

use praxis_platform::tenancy::SchemaName;
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde::Serialize;

use super::{
    Drifted, MigrateError, Migrator, Object,
    catalogue::{self, Kind, bare, written_for},
    control::{begin, one},
    drift::{Difference, differences},
};

/// Triggers of Postgres' own are enabled by a superuser only.
const ALL_TRIGGERS: &str = "ENABLE TRIGGER ALL";

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
    /// Why it was not, though it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The statements that put a tenant right, and what they leave.
pub fn repair(drifted: &Drifted) -> Repair {
    let (statements, left) = planned(&drifted.differences, &drifted.schema);
    Repair { tenant: drifted.tenant.clone(), statements, left, done: false, error: None }
}

fn planned(differences: &[Difference], schema: &SchemaName) -> (Vec<String>, Vec<String>) {
    let strangers: BTreeSet<&Object> = differences
        .iter()
        .filter(|difference| difference.expected.is_none())
        .map(|difference| &difference.object)
        .collect();
    let (mut planned, mut left) = (Vec::new(), Vec::new());
    for difference in differences {
        let object = &difference.object;
        // What is about a table or column that should not be there is left with it.
        let table = Object { kind: Kind::Table, table: String::new(), name: object.table.clone() };
        let column = Object { kind: Kind::Column, table: object.table.clone(), name: object.name.clone() };
        let stranger = strangers.contains(&table)
            || matches!(object.kind, Kind::Default | Kind::NotNull) && strangers.contains(&column);
        let statements = if stranger { Vec::new() } else { statements(difference) };
        if statements.is_empty() {
            left.push(object.to_string());
        }
        planned.extend(statements.iter().map(|text| written_for(text, schema)));
    }
    (planned, left)
}

/// How one difference is put right; nothing where that is not for us to decide. Names come quoted where they need it.
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
        // Foreign keys are kept by triggers of Postgres' own.
        (Kind::ForeignKeysOff, None, Some(_)) => vec![alter(ALL_TRIGGERS.to_owned())],
        (Kind::Right, expected, _) => right(object, expected.is_some()).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// `RIGHT TO role`, on a table, on `FUNCTION name(types)` or on `SCHEMA`.
fn right(object: &Object, given: bool) -> Option<String> {
    let (right, role) = object.name.split_once(" TO ")?;
    let on = match object.table.as_str() {
        "SCHEMA" => "SCHEMA {schema}".to_owned(),
        function if function.starts_with("FUNCTION ") => function.to_owned(),
        table => format!("{{schema}}.{table}"),
    };
    let right = right.strip_suffix(" GRANTABLE").unwrap_or(right);
    Some(match given {
        true => format!("GRANT {right} ON {on} TO {role}"),
        false => format!("REVOKE {right} ON {on} FROM {role} CASCADE"),
    })
}

impl Migrator {
    /// Puts a tenant right in one transaction, and only if nothing of what the statements are for differs after them.
    /// What differs is found out anew: nobody migrates the tenant meanwhile.
    pub async fn put_right(&self, drifted: &Drifted) -> Repair {
        match self.try_to(drifted).await {
            Ok(repair) => repair,
            Err(error) => Repair { error: Some(error.to_string()), ..repair(drifted) },
        }
    }

    async fn try_to(&self, drifted: &Drifted) -> Result<Repair, MigrateError> {
        let schema = &drifted.schema;
        let installation = self.installation().await?;
        let reference = self.reference(&installation, drifted.version).await?;
        let db = self.connect_to(&drifted.cell, 1).await?;
        let transaction = begin(&db).await?;
        let context = format!(
            "SET LOCAL lock_timeout = 2000; SET LOCAL statement_timeout = 60000; SET LOCAL ROLE {}",
            installation.owner_role()
        );
        transaction.execute_unprepared(&context).await?;
        let locked = format!("SELECT schema_version AS n FROM {schema}.tenant_self FOR UPDATE");
        if one::<i32>(&transaction, &locked).await? != Some(drifted.version) {
            return Err(MigrateError::Moved(drifted.tenant.clone()));
        }
        bare(&transaction).await?;
        let now = differences(&reference.catalogue, &catalogue::read(&transaction, schema.as_str()).await?);
        nothing_is_lost(&transaction, &now, schema).await?;
        let (statements, _) = planned(&now, schema);
        for text in &statements {
            let run = match text.ends_with(ALL_TRIGGERS) {
                true => format!("SET LOCAL ROLE NONE; {text}; SET LOCAL ROLE {}", installation.owner_role()),
                false => text.clone(),
            };
            transaction.execute_unprepared(&run).await.map_err(|source| failed(schema, text, source))?;
        }
        let after = differences(&reference.catalogue, &catalogue::read(&transaction, schema.as_str()).await?);
        let (still, left) = planned(&after, schema);
        if let Some(still) = still.first() {
            return Err(MigrateError::NotRepaired(drifted.tenant.clone(), still.clone()));
        }
        transaction.commit().await?;
        Ok(Repair { tenant: drifted.tenant.clone(), statements, left, done: true, error: None })
    }
}

/// Fails if a column could not be given its type back without changing a value.
async fn nothing_is_lost(
    transaction: &DatabaseTransaction,
    differences: &[Difference],
    schema: &SchemaName,
) -> Result<(), MigrateError> {
    for Difference { object, expected, found } in differences {
        let (Kind::Column, Some(expected), Some(found)) = (object.kind, expected, found) else { continue };
        let (table, name) = (&object.table, &object.name);
        let sql = format!(
            "SELECT EXISTS (SELECT FROM {schema}.{table} WHERE {name} IS DISTINCT FROM {name}::{expected}::{found}) AS n"
        );
        if one::<bool>(transaction, &sql).await? == Some(true) {
            return Err(MigrateError::WouldLose(format!("{table}.{name}")));
        }
    }
    Ok(())
}

fn failed(schema: &SchemaName, text: &str, source: sea_orm::DbErr) -> MigrateError {
    let first = text.lines().next().unwrap_or_default();
    MigrateError::Step { step: format!("repair of {schema} ({first})"), source }
}
