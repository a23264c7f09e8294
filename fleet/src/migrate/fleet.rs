//! Which schema is at which version, as the control schema says.

use praxis_entity::ids::TenantId;
use praxis_platform::tenancy::{SchemaName, connect_admin};
use sea_orm::{ConnectionTrait, DatabaseConnection, QueryResult, Value};

use super::{
    MigrateError, Migrator,
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
    /// Number of steps applied.
    pub version: i32,
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
    /// All tenants that have a schema, by slug.
    pub tenants: Vec<TenantVersion>,
}

impl Fleet {
    /// The tenants that are behind.
    pub fn behind(&self) -> impl Iterator<Item = &TenantVersion> {
        self.tenants.iter().filter(|tenant| tenant.version < self.tenant_target)
    }

    /// True when nothing is to be done.
    pub fn is_current(&self) -> bool {
        self.control >= self.control_target && self.behind().next().is_none()
    }
}

impl Migrator {
    /// Reads where all schemas are. An empty database is an installation at version 0.
    pub async fn fleet(&self) -> Result<Fleet, MigrateError> {
        // Before the pool, which tries again and again and then says only that it did.
        drop(connect_admin(&self.database_url).await?);
        let db = self.connect(1).await?;
        let control = control_version(&db).await?;
        let tenants = if control == 0 { Vec::new() } else { tenants(&db, None, i32::MAX).await? };
        Ok(Fleet {
            control,
            control_target: self.control_target(),
            tenant_target: self.tenant_target(),
            tenants,
        })
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

/// The tenants below a version, all or the one of a slug. A shredded one has no schema any more.
pub(super) async fn tenants(
    db: &DatabaseConnection,
    slug: Option<&str>,
    below: i32,
) -> Result<Vec<TenantVersion>, MigrateError> {
    let sql = "SELECT id, slug, schema_name, schema_version FROM control.tenant
        WHERE schema_version < $1 AND state <> 'SHREDDED' AND ($2::text IS NULL OR slug = $2) ORDER BY slug";
    let values = [below.into(), Value::from(slug.map(str::to_owned))];
    db.query_all_raw(statement(sql, values)).await?.iter().map(read).collect()
}

/// Fails unless there is a tenant of the slug.
pub(super) async fn must_exist(db: &DatabaseConnection, slug: &str) -> Result<(), MigrateError> {
    let sql = "SELECT FROM control.tenant WHERE slug = $1";
    let found = db.query_one_raw(statement(sql, [slug.into()])).await?;
    found.map(|_| ()).ok_or_else(|| MigrateError::UnknownTenant(slug.to_owned()))
}

fn read(row: &QueryResult) -> Result<TenantVersion, MigrateError> {
    let name: String = row.try_get("", "schema_name")?;
    Ok(TenantVersion {
        id: row.try_get("", "id")?,
        slug: row.try_get("", "slug")?,
        schema: SchemaName::stored(&name).ok_or(MigrateError::CanaryMissing(name))?,
        version: row.try_get("", "schema_version")?,
    })
}
