//! What a schema consists of, as Postgres' catalogue says: the same for every tenant of a version.

use std::{collections::BTreeMap, fmt};

use praxis_platform::tenancy::{Installation, SchemaName};
use sea_orm::{ConnectionTrait, QueryResult};
use serde::Serialize;

use super::{
    MigrateError, Migrator,
    control::{begin, statement},
};

/// One row per object; see the file.
const OBJECTS: &str = include_str!("catalogue.sql");
/// Names are printed as they are only if no schema of ours is on the path.
const BARE: &str = "SET LOCAL search_path = pg_catalog";

/// The name of the schema, and of its role, that a reference is built under for an instant.
const REFERENCE: &str = "praxis_reference";

/// A kind of object, in the order in which objects need each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A table, and whom it belongs to.
    Table,
    /// A column, and its type.
    Column,
    /// What a column is when nothing is said.
    Default,
    /// That a column is always filled.
    NotNull,
    /// A function.
    Function,
    /// A constraint.
    Constraint,
    /// An index that belongs to no constraint.
    Index,
    /// A view.
    View,
    /// A trigger.
    Trigger,
    /// A policy of row security.
    Policy,
    /// A rule.
    Rule,
    /// That a table's foreign keys are not kept.
    ForeignKeysOff,
    /// A sequence.
    Sequence,
    /// Whom the schema, a function or a view belongs to.
    Owner,
    /// Who may act as the tenant's role.
    Member,
    /// A type of the schema's own.
    Type,
    /// A right of a role on a table or function.
    Right,
}

impl Kind {
    fn read(name: &str) -> Option<Self> {
        Some(match name {
            "table" => Self::Table,
            "column" => Self::Column,
            "default" => Self::Default,
            "not null" => Self::NotNull,
            "function" => Self::Function,
            "constraint" => Self::Constraint,
            "index" => Self::Index,
            "view" => Self::View,
            "trigger" => Self::Trigger,
            "policy" => Self::Policy,
            "rule" => Self::Rule,
            "foreign keys off" => Self::ForeignKeysOff,
            "sequence" => Self::Sequence,
            "owner" => Self::Owner,
            "member" => Self::Member,
            "type" => Self::Type,
            "right" => Self::Right,
            _ => return None,
        })
    }
}

/// An object of a schema.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Object {
    /// What it is.
    pub kind: Kind,
    /// The table that it belongs to; empty for what belongs to none.
    pub table: String,
    /// Its name.
    pub name: String,
}

impl fmt::Display for Object {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::NotNull => "not null".to_owned(),
            Kind::ForeignKeysOff => "foreign keys off".to_owned(),
            kind => format!("{kind:?}").to_lowercase(),
        };
        let dot = if self.table.is_empty() || self.name.is_empty() { "" } else { "." };
        // All of it is in the schema that the reader asked about.
        let name = self.name.replace("{schema}.", "");
        write!(formatter, "{kind} {}{dot}{name}", self.table)
    }
}

/// All objects of a schema, each with how it is written. The schema's own name is `{schema}` in it.
pub(super) type Catalogue = BTreeMap<Object, String>;

/// A catalogue in a number: two schemas with the same one are alike.
const DIGEST: &str = "SELECT md5(string_agg(concat_ws(E'\\x1f', kind, parent, name, definition), E'\\x1e' ORDER BY kind, parent, name, definition)) AS n FROM (";

/// The digest of a schema's catalogue. The search path must be bare.
pub(super) async fn digest(db: &impl ConnectionTrait, schema: &str) -> Result<String, MigrateError> {
    let row = db.query_one_raw(statement(&format!("{DIGEST}{OBJECTS}) AS object"), [schema.into()])).await?;
    let found: Option<String> = row.map(|row| row.try_get("", "n")).transpose()?.flatten();
    Ok(found.unwrap_or_default())
}

/// The catalogue of a schema. The search path must be bare.
pub(super) async fn read(db: &impl ConnectionTrait, schema: &str) -> Result<Catalogue, MigrateError> {
    db.query_all_raw(statement(OBJECTS, [schema.into()])).await?.iter().map(object).collect()
}

fn object(row: &QueryResult) -> Result<(Object, String), MigrateError> {
    let kind: String = row.try_get("", "kind")?;
    let kind = Kind::read(&kind).ok_or(MigrateError::Catalogue(kind))?;
    let object = Object { kind, table: row.try_get("", "parent")?, name: row.try_get("", "name")? };
    Ok((object, row.try_get("", "definition")?))
}

/// Makes the search path bare for the rest of a transaction.
pub(super) async fn bare(db: &impl ConnectionTrait) -> Result<(), MigrateError> {
    db.execute_unprepared(BARE).await?;
    Ok(())
}

/// What a schema of a version has to be.
pub(super) struct Reference {
    pub(super) digest: String,
    pub(super) catalogue: Catalogue,
}

impl Migrator {
    /// Builds a schema of the version from its steps, looks at it and takes it all back: nobody else ever sees it.
    pub(super) async fn reference(
        &self,
        installation: &Installation,
        version: i32,
    ) -> Result<Reference, MigrateError> {
        let db = self.connect(1).await?;
        let transaction = begin(&db).await?;
        let owner = installation.owner_role();
        let make = format!(
            "CREATE ROLE {REFERENCE}; CREATE SCHEMA {REFERENCE} AUTHORIZATION {owner};
             GRANT {REFERENCE} TO {owner}; SET LOCAL praxis.role = '{REFERENCE}'; SET LOCAL ROLE {owner};
             GRANT USAGE ON SCHEMA {REFERENCE} TO {REFERENCE}; SET LOCAL search_path = {REFERENCE}"
        );
        transaction.execute_unprepared(&make).await?;
        self.replay(&transaction, version).await?;
        bare(&transaction).await?;
        let digest = digest(&transaction, REFERENCE).await?;
        let catalogue = read(&transaction, REFERENCE).await?;
        transaction.rollback().await?;
        Ok(Reference { digest, catalogue })
    }
}

/// How a text that speaks of `{schema}` is written for a tenant.
pub(super) fn written_for(text: &str, schema: &SchemaName) -> String {
    text.replace("{schema}", schema.as_str())
}
