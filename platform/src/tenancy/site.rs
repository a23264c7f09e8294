//! Where a clinic will be: a role in a login shard, and a schema with tables and nothing in them.

use std::time::{Duration, Instant};

use praxis_entity::ids::TenantId;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};

use super::{
    InstallationError, SchemaName,
    bootstrap::{ensure_cell_login_role, ensure_login_role},
    cells::MAIN,
    control::Installation,
    snapshot::{snapshot_parts, snapshot_sql, snapshot_version},
    warm::{PoolOf, still_held},
};
use crate::{
    clock::SharedClock,
    vault::{InstallationKey, KeyWrapper},
};

/// Tenants per login role: the first `SET ROLE` of a backend expands the whole membership.
const TENANTS_PER_SHARD: i64 = 200;

/// How much longer a gentle builder rests than it works.
#[derive(Clone, Copy)]
pub(super) enum Rests {
    /// Somebody waits for the schema.
    Awaited = 3,
    /// It is made ahead of need.
    Ahead = 7,
}

/// Whoever waited for a lock did not work.
const LONGEST_REST: Duration = Duration::from_secs(1);
/// Tables that a gentle builder drops in one transaction.
const AT_ONCE: usize = 4;

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

/// Until the end of the transaction, nobody else gives shards out, of whatever cell, and makes roles.
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
    let shard = next_shard(&mut transaction, MAIN).await?;
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
    let (mut shard, mut members) = newest_shard(connection, MAIN).await?;
    let mut message = String::new();
    let (mut sites, mut ensured) = (Vec::new(), None);
    for _ in 0..count {
        if members >= TENANTS_PER_SHARD {
            // The numbers after it may be another cell's.
            (shard, members) = (unused_shard(connection).await?.max(shard + 1), 0);
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

/// Notes sites of a further cell, without making anything there. It must be one's turn.
pub(super) async fn note_sites(
    connection: &mut PgConnection,
    clock: &SharedClock,
    pool: PoolOf<'_>,
    count: i64,
) -> Result<(), sqlx::Error> {
    for _ in 0..count {
        let shard = next_shard(connection, pool.cell).await?;
        note_site(connection, &Site::of(TenantId(clock.new_id()), shard), pool).await?;
    }
    Ok(())
}

/// Notes a site that has no schema yet.
pub(super) async fn note_site(
    connection: &mut PgConnection,
    site: &Site,
    pool: PoolOf<'_>,
) -> Result<(), sqlx::Error> {
    let template = pool.template.map(|template| &template.manifest);
    sqlx::query(
        "INSERT INTO control.warm_schema (id, schema_name, cell_id, login_shard, template, template_version)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(site.id.0)
    .bind(site.schema.as_str())
    .bind(pool.cell)
    .bind(site.shard)
    .bind(template.map(|template| &template.name))
    .bind(template.map(|template| &template.version))
    .execute(connection)
    .await
    .map(|_| ())
}

/// Makes the roles of a site in a further cell, those that are missing: a run before may have been killed.
pub(super) async fn ensure_roles(
    home: &mut PgConnection,
    installation: &Installation,
    key: &InstallationKey,
    site: &Site,
) -> Result<(), sqlx::Error> {
    ensure_cell_login_role(home, installation, site.shard, key).await?;
    let (schema, app, owner) = (&site.schema, installation.app_role(site.shard), installation.owner_role());
    let find = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)";
    let known: bool = sqlx::query_scalar(find).bind(schema.as_str()).fetch_one(&mut *home).await?;
    let create = if known { String::new() } else { format!("CREATE ROLE {schema} NOLOGIN;") };
    let message = format!("{create} GRANT {schema} TO {app}; GRANT {schema} TO {owner};");
    home.execute(sqlx::raw_sql(AssertSqlSafe(message))).await.map(|_| ())
}

/// Makes the schema of a site anew, from the compiled snapshot, as a single message. The connection is in a transaction.
pub(super) async fn build(
    connection: &mut PgConnection,
    installation: &Installation,
    site: &Site,
) -> Result<(), sqlx::Error> {
    let (schema, (before, after)) = (site.schema.as_str(), around(installation, site));
    let message = before + &snapshot_sql(schema, schema) + &after;
    connection.execute(sqlx::raw_sql(AssertSqlSafe(message))).await.map(|_| ())
}

/// The same in many small transactions, with a rest after each that lasts several times as long. The connection is in
/// none; another one holds the place in the pool meanwhile. Where this fails, half a schema is left, and the connection is
/// of no use any more.
///
/// Every backend hears at its next statement of all that others committed. Of a whole schema at once it is told more than
/// Postgres has room for, and so forgets all that it knew of any clinic; and it waits for a processor meanwhile.
pub(super) async fn build_gently(
    home: &mut PgConnection,
    place: &mut PgConnection,
    installation: &Installation,
    site: &Site,
    rests: Rests,
) -> Result<(), sqlx::Error> {
    let (schema, (before, after)) = (site.schema.as_str(), around(installation, site));
    let left = drops(home, schema).await?;
    for message in left.into_iter().chain([before]).chain(snapshot_parts(schema, schema)).chain([after]) {
        still_held(place).await?;
        let begun = Instant::now();
        home.execute(sqlx::raw_sql(AssertSqlSafe(message))).await?;
        tokio::time::sleep(LONGEST_REST.min(begun.elapsed() * rests as u32)).await;
    }
    Ok(())
}

/// Whether anybody was served in a database within the last second: whoever reads must not notice what is made there.
pub(super) async fn somebody_is_served(
    home: &mut PgConnection,
    installation: &Installation,
) -> Result<bool, sqlx::Error> {
    // What a role may not see of others counts as served.
    let at_work = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
        AND starts_with(usename, $1) AND coalesce(state_change > now() - interval '1 second', true))";
    sqlx::query_scalar(at_work).bind(installation.app_roles()).fetch_one(home).await
}

/// What drops the tables of an older schema, or of half a schema, a few at a time.
async fn drops(home: &mut PgConnection, schema: &str) -> Result<Vec<String>, sqlx::Error> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT format('DROP TABLE IF EXISTS %I.%I CASCADE', schemaname, tablename) FROM pg_tables
         WHERE schemaname = $1 ORDER BY tablename",
    )
    .bind(schema)
    .fetch_all(home)
    .await?;
    Ok(tables.chunks(AT_ONCE).map(|some| some.join(";")).collect())
}

/// What is said before the statements of the snapshot, and after them.
///
/// Functions are not looked into once more: the snapshot was made from those that were. Postgres would read all
/// functions of the same name for each, which are as many as there are clinics.
fn around(installation: &Installation, site: &Site) -> (String, String) {
    let (owner, schema) = (installation.owner_role(), &site.schema);
    let (id, version) = (site.id.0, snapshot_version());
    let before = format!(
        "SET client_min_messages = warning; SET check_function_bodies = off; DROP SCHEMA IF EXISTS {schema} CASCADE;
         CREATE SCHEMA {schema} AUTHORIZATION {owner}; SET ROLE {owner}; GRANT USAGE ON SCHEMA {schema} TO {schema};
         SET search_path = {schema};\n"
    );
    let after = format!(
        "INSERT INTO tenant_self (tenant_id, schema_version) VALUES ('{id}', {version});
         RESET ROLE; RESET search_path; RESET check_function_bodies; RESET client_min_messages"
    );
    (before, after)
}

/// The first shard of a cell with room. It must be one's turn.
pub async fn next_shard(connection: &mut PgConnection, cell: &str) -> Result<i32, sqlx::Error> {
    let (shard, members) = newest_shard(connection, cell).await?;
    if members < TENANTS_PER_SHARD { Ok(shard) } else { unused_shard(connection).await }
}

/// The last shard of a cell, and how many are in it; one that nobody has where the cell has none.
async fn newest_shard(connection: &mut PgConnection, cell: &str) -> Result<(i32, i64), sqlx::Error> {
    let newest: Option<(i32, i64)> = sqlx::query_as(
        "SELECT login_shard, count(*) FROM (
            SELECT login_shard FROM control.tenant WHERE cell_id = $1
            UNION ALL SELECT login_shard FROM control.warm_schema WHERE cell_id = $1) AS given
         GROUP BY login_shard ORDER BY login_shard DESC LIMIT 1",
    )
    .bind(cell)
    .fetch_optional(&mut *connection)
    .await?;
    match newest {
        Some(newest) => Ok(newest),
        None => Ok((unused_shard(connection).await?, 0)),
    }
}

/// The number of a shard that no cell has: roles of the same name in two cells would not be one.
async fn unused_shard(connection: &mut PgConnection) -> Result<i32, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT coalesce(max(login_shard) + 1, 0) FROM (
            SELECT login_shard FROM control.tenant UNION ALL SELECT login_shard FROM control.warm_schema) AS given",
    )
    .fetch_one(connection)
    .await
}
