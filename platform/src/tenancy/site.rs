//! Where a clinic will be: a role in a login shard, and a schema with tables and nothing in them.

use praxis_entity::ids::TenantId;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};

use super::{
    InstallationError, SchemaName, bootstrap::ensure_login_role, control::Installation, snapshot_sql,
    snapshot_version,
};
use crate::{clock::SharedClock, vault::KeyWrapper};

/// Tenants per login role: the first `SET ROLE` of a backend expands the whole membership.
const TENANTS_PER_SHARD: i64 = 200;

/// Where a clinic will be.
pub(super) struct Site {
    /// The clinic's id.
    pub id: TenantId,
    /// Its schema and role.
    pub schema: SchemaName,
    /// The login role that is to be member of its role.
    pub shard: i32,
}

impl Site {
    /// The site of an id.
    pub fn of(id: TenantId, shard: i32) -> Self {
        Self { id, schema: SchemaName::of(id), shard }
    }
}

/// Until the end of the transaction, nobody else gives shards out and makes roles.
pub async fn take_turn(transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
    let lock = "SELECT FROM control.cell WHERE id = 'main' FOR NO KEY UPDATE";
    sqlx::query(lock).execute(transaction).await.map(|_| ())
}

/// The login shard of a clinic that is made by itself, with its login role. A transaction of its own: clinics that are
/// made at the same time wait for each other here only, and a shard may get a few more than its number by that. Within
/// somebody else's transaction it is a part of that, whose turn then lasts to its end.
pub(super) async fn allot(
    admin: &mut PgConnection,
    installation: &Installation,
    wrapper: &dyn KeyWrapper,
) -> Result<i32, InstallationError> {
    let mut transaction = admin.begin().await?;
    take_turn(&mut transaction).await?;
    let shard = next_shard(&mut transaction).await?;
    ensure_login_role(&mut transaction, installation, shard, wrapper).await?;
    transaction.commit().await?;
    Ok(shard)
}

/// Makes the roles of sites, at one blow: every backend looks its memberships up anew after each. It must be one's turn.
pub(super) async fn reserve(
    connection: &mut PgConnection,
    installation: &Installation,
    wrapper: &dyn KeyWrapper,
    clock: &SharedClock,
    count: i64,
) -> Result<Vec<Site>, InstallationError> {
    let (mut shard, mut members) = newest_shard(connection).await?;
    let mut message = String::new();
    let (mut sites, mut ensured) = (Vec::new(), None);
    for _ in 0..count {
        if members >= TENANTS_PER_SHARD {
            (shard, members) = (shard + 1, 0);
        }
        members += 1;
        if ensured != Some(shard) {
            ensure_login_role(connection, installation, shard, wrapper).await?;
            ensured = Some(shard);
        }
        let site = Site::of(TenantId(clock.new_id()), shard);
        message += &role(installation, &site);
        sites.push(site);
    }
    connection.execute(sqlx::raw_sql(AssertSqlSafe(message))).await?;
    Ok(sites)
}

/// Makes the role of a site.
pub(super) async fn make_role(
    connection: &mut PgConnection,
    installation: &Installation,
    site: &Site,
) -> Result<(), sqlx::Error> {
    connection.execute(sqlx::raw_sql(AssertSqlSafe(role(installation, site)))).await.map(|_| ())
}

fn role(installation: &Installation, site: &Site) -> String {
    let (schema, app, owner) = (&site.schema, installation.app_role(site.shard), installation.owner_role());
    format!("CREATE ROLE {schema} NOLOGIN; GRANT {schema} TO {app}; GRANT {schema} TO {owner};")
}

/// Makes the schema of a site anew, from the compiled snapshot, as a single message.
///
/// Functions are not looked into once more: the snapshot was made from those that were. Postgres would read all
/// functions of the same name for each, which are as many as there are clinics.
pub(super) async fn build(
    connection: &mut PgConnection,
    installation: &Installation,
    site: &Site,
) -> Result<(), sqlx::Error> {
    let (owner, schema) = (installation.owner_role(), &site.schema);
    let tables = snapshot_sql(schema.as_str(), schema.as_str());
    let (id, version) = (site.id.0, snapshot_version());
    let message = format!(
        "SET LOCAL client_min_messages = warning; SET LOCAL check_function_bodies = off; DROP SCHEMA IF EXISTS {schema} CASCADE;
         CREATE SCHEMA {schema} AUTHORIZATION {owner};
         SET LOCAL ROLE {owner}; GRANT USAGE ON SCHEMA {schema} TO {schema};
         SET LOCAL search_path = {schema};
         {tables}
         INSERT INTO tenant_self (tenant_id, schema_version) VALUES ('{id}', {version});
         RESET ROLE; RESET search_path"
    );
    connection.execute(sqlx::raw_sql(AssertSqlSafe(message))).await.map(|_| ())
}

/// The first shard with room. It must be one's turn.
pub async fn next_shard(connection: &mut PgConnection) -> Result<i32, sqlx::Error> {
    let (shard, members) = newest_shard(connection).await?;
    Ok(if members < TENANTS_PER_SHARD { shard } else { shard + 1 })
}

/// The last shard, and how many are in it.
async fn newest_shard(connection: &mut PgConnection) -> Result<(i32, i64), sqlx::Error> {
    let newest: Option<(i32, i64)> = sqlx::query_as(
        "SELECT login_shard, count(*) FROM (
            SELECT login_shard FROM control.tenant UNION ALL SELECT login_shard FROM control.warm_schema) AS given
         GROUP BY login_shard ORDER BY login_shard DESC LIMIT 1",
    )
    .fetch_optional(connection)
    .await?;
    Ok(newest.unwrap_or((0, 0)))
}
