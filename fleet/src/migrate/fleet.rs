//! Which schema is at which version, as the control schema says.

use praxis_entity::ids::TenantId;
use praxis_platform::tenancy::{MAIN, SchemaName};
use sea_orm::{ConnectionTrait, DatabaseConnection, QueryResult, Value};

use super::{
    MigrateError, Migrator, Selection,
    control::{control_version, statement},
    steps_after,
};

/// A tenant and its version.
#[derive(Debug, Clone)]
pub struct TenantVersion {
    /// Id.
    pub id: TenantId,
    /// Subdomain.
    pub slug: String,
    /// Schema.
    pub schema: SchemaName,
    /// Which cell holds it.
    pub cell: String,
    /// Number of steps applied.
    pub version: i32,
}

/// A cell and the version of what it has besides its tenants.
#[derive(Debug, Clone)]
pub struct CellVersion {
    /// Its name.
    pub name: String,
    /// Number of steps applied; none where it is away, or this process does not know its address.
    pub version: Option<i32>,
}

/// Where the schemas of an installation are, and where they should be.
#[derive(Debug, Clone)]
pub struct Fleet {
    /// Version of the control schema; 0 where there is none yet.
    pub control: i32,
    /// The version it should have.
    pub control_target: i32,
    /// The version each tenant should have.
    pub tenant_target: i32,
    /// The version that what each cell has besides its tenants should have.
    pub cell_target: i32,
    /// All cells, by name.
    pub cells: Vec<CellVersion>,
    /// All tenants that have a schema, by slug.
    pub tenants: Vec<TenantVersion>,
}

impl Fleet {
    /// The tenants that are behind.
    pub fn behind(&self) -> impl Iterator<Item = &TenantVersion> {
        self.tenants.iter().filter(|tenant| tenant.version < self.tenant_target)
    }

    /// The cells that did not answer: where they are is not known.
    pub fn away(&self) -> impl Iterator<Item = &CellVersion> {
        self.cells.iter().filter(|cell| cell.version.is_none())
    }

    /// True when nothing is to be done, as far as is known.
    pub fn is_current(&self) -> bool {
        let is_behind = |cell: &CellVersion| cell.version.is_some_and(|version| version < self.cell_target);
        self.control >= self.control_target
            && self.behind().next().is_none()
            && !self.cells.iter().any(is_behind)
    }
}

impl Migrator {
    /// Reads where all schemas are. An empty database is an installation at version 0.
    pub async fn fleet(&self) -> Result<Fleet, MigrateError> {
        let (db, control) = self.control_now().await?;
        let (mut tenants, mut cells) = (Vec::new(), Vec::new());
        if control > 0 {
            tenants = self::tenants(&db, &Selection::default(), i32::MAX).await?;
        }
        // An older control schema may not know of cells what is asked here.
        if control >= self.control_target() {
            cells = self.cell_versions().await?;
        }
        Ok(Fleet {
            control,
            control_target: self.control_target(),
            tenant_target: self.tenant_target(),
            cell_target: self.cell_target(),
            cells,
            tenants,
        })
    }

    /// The control database, and the version of its schema.
    pub(super) async fn control_now(&self) -> Result<(DatabaseConnection, i32), MigrateError> {
        // Before the pool, which tries again and again and then says only that it did.
        drop(self.cells.connect(MAIN).await?);
        let db = self.connect(1).await?;
        let control = control_version(&db).await?;
        Ok((db, control))
    }

    /// Names of the control steps that follow a version.
    pub fn control_steps_after(&self, version: i32) -> Vec<String> {
        steps_after(&self.control, version).map(|(_, step)| step.name().to_owned()).collect()
    }

    /// Names of the tenant steps that follow a version.
    pub fn tenant_steps_after(&self, version: i32) -> Vec<String> {
        steps_after(&self.tenant, version).map(|(_, step)| step.name().to_owned()).collect()
    }
}

/// The selected tenants below a version. A shredded one has no schema any more.
pub(super) async fn tenants(
    db: &DatabaseConnection,
    selection: &Selection,
    below: i32,
) -> Result<Vec<TenantVersion>, MigrateError> {
    let sql = "SELECT id, slug, schema_name, cell_id, schema_version FROM control.tenant t
        WHERE schema_version < $1 AND state <> 'SHREDDED'
            AND (cardinality($2::text[]) = 0 OR slug = ANY($2)) AND ($3::text IS NULL OR slug LIKE $3)
            AND ($4::uuid IS NULL OR EXISTS (SELECT FROM control.migration_run_item i
                WHERE i.run_id = $4 AND i.tenant_id = t.id AND i.state <> 'DONE'))
        ORDER BY slug";
    let values = [
        below.into(),
        selection.tenants.clone().into(),
        Value::from(selection.matching.as_deref().map(like)),
        Value::from(selection.resume),
    ];
    db.query_all_raw(statement(sql, values)).await?.iter().map(read).collect()
}

/// A pattern with `*` and `?` in SQL's form.
fn like(pattern: &str) -> String {
    let mut like = String::with_capacity(pattern.len());
    for character in pattern.chars() {
        match character {
            '*' => like.push('%'),
            '?' => like.push('_'),
            '%' | '_' | '\\' => like.extend(['\\', character]),
            other => like.push(other),
        }
    }
    like
}

/// Fails when the selection names a tenant or a run that there is not, or a pattern that no tenant is like.
pub(super) async fn must_exist(db: &DatabaseConnection, selection: &Selection) -> Result<(), MigrateError> {
    let sql = "SELECT name AS n FROM unnest($1::text[]) AS name
        WHERE NOT EXISTS (SELECT FROM control.tenant WHERE slug = name) LIMIT 1";
    if let Some(row) = db.query_one_raw(statement(sql, [selection.tenants.clone().into()])).await? {
        return Err(MigrateError::UnknownTenant(row.try_get("", "n")?));
    }
    if let Some(pattern) = &selection.matching {
        let sql = "SELECT FROM control.tenant WHERE slug LIKE $1 AND state <> 'SHREDDED' LIMIT 1";
        let found = db.query_one_raw(statement(sql, [like(pattern).into()])).await?;
        found.ok_or_else(|| MigrateError::NothingLike(pattern.clone()))?;
    }
    if let Some(run) = selection.resume {
        let sql = "SELECT FROM control.migration_run WHERE id = $1";
        let found = db.query_one_raw(statement(sql, [run.into()])).await?;
        found.ok_or(MigrateError::UnknownRun(run))?;
    }
    Ok(())
}

fn read(row: &QueryResult) -> Result<TenantVersion, MigrateError> {
    let name: String = row.try_get("", "schema_name")?;
    Ok(TenantVersion {
        id: row.try_get("", "id")?,
        slug: row.try_get("", "slug")?,
        schema: SchemaName::stored(&name).ok_or(MigrateError::CanaryMissing(name))?,
        cell: row.try_get("", "cell_id")?,
        version: row.try_get("", "schema_version")?,
    })
}

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn a_pattern_means_itself_but_for_stars_and_question_marks() {
        assert_eq!(like("north*-?"), "north%-_");
        assert_eq!(like(r"100%_\"), r"100\%\_\\");
    }
}
