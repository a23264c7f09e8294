//! The warm pool: schemas made ahead of need, so that a new clinic only takes one and fills it.
//!
//! Roles come first and many at once, then one schema per transaction. What is in the pool stands in
//! `control.warm_schema` at each of these steps, so a run that was killed is gone on with by the next.

use std::time::{Duration, Instant};

use praxis_entity::ids::TenantId;
use serde::Serialize;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};
use uuid::Uuid;

use super::{
    InstallationError,
    cells::MAIN,
    control::Installation,
    site::{Site, build, ensure_roles, note_site, note_sites, reserve, take_turn},
    snapshot_version,
};
use crate::{
    clock::SharedClock,
    vault::{InstallationKey, KeyWrapper},
};

/// What is in the pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct WarmPool {
    /// Schemas that the next clinics take.
    pub ready: i64,
    /// Schemas of an older version: no clinic takes them, and the next `fill` makes them anew.
    pub outdated: i64,
    /// Roles without a schema, left by a `fill` that was killed or is under way.
    pub reserved: i64,
    /// Schemas of a newer version than this build's, for builds that know it.
    pub newer: i64,
}

/// What `fill` did.
#[derive(Debug, Clone)]
pub struct Filled {
    /// How many schemas it made.
    pub made: usize,
    /// How long one took, in the mean.
    pub mean: Duration,
}

/// Counts what is in the pool of a cell, or of all of them.
pub async fn warm_pool(admin: &mut PgConnection, cell: Option<&str>) -> Result<WarmPool, sqlx::Error> {
    sqlx::query_as(
        "SELECT count(*) FILTER (WHERE schema_version = $1) AS ready, count(*) FILTER (WHERE schema_version < $1) AS outdated,
            count(*) FILTER (WHERE schema_version IS NULL) AS reserved, count(*) FILTER (WHERE schema_version > $1) AS newer
         FROM control.warm_schema WHERE $2::text IS NULL OR cell_id = $2",
    )
    .bind(snapshot_version())
    .bind(cell)
    .fetch_one(admin)
    .await
}

/// Sees to it that the pool of the control database holds so many schemas of this version. A second run at the same time does its share.
pub async fn fill_warm_pool(
    admin: &mut PgConnection,
    installation: &Installation,
    wrapper: &dyn KeyWrapper,
    clock: &SharedClock,
    size: i64,
) -> Result<Filled, InstallationError> {
    reserve_missing(admin, installation, wrapper, clock, size).await?;
    let (begun, mut made) = (Instant::now(), 0_u32);
    while build_next(admin, installation).await? {
        made += 1;
    }
    Ok(Filled { made: made as usize, mean: begun.elapsed() / made.max(1) })
}

/// The next one of a cell that is missing or outdated, of those that nobody is at.
const LACKING: &str = "SELECT id, login_shard FROM control.warm_schema
    WHERE (schema_version IS NULL OR schema_version < $1) AND cell_id = $2
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED";

/// The same in a further cell: what is there is noted in the control schema first, and its roles and tables are made
/// in the cell, in transactions of their own. Killed in between, the next run makes them anew.
pub async fn fill_cell_pool(
    admin: &mut PgConnection,
    home: &mut PgConnection,
    cell: &str,
    installation: &Installation,
    key: &InstallationKey,
    clock: &SharedClock,
    size: i64,
) -> Result<Filled, sqlx::Error> {
    if missing(admin, cell, size).await? > 0 {
        let mut transaction = admin.begin().await?;
        take_turn(&mut transaction).await?;
        let missing = missing(&mut transaction, cell, size).await?;
        note_sites(&mut transaction, clock, cell, missing).await?;
        transaction.commit().await?;
    }
    let (begun, mut made) = (Instant::now(), 0_u32);
    loop {
        let mut transaction = admin.begin().await?;
        let next: Option<(Uuid, i32)> = sqlx::query_as(LACKING)
            .bind(snapshot_version())
            .bind(cell)
            .fetch_optional(&mut *transaction)
            .await?;
        let Some((id, shard)) = next else { break };
        let mut building = home.begin().await?;
        build_anew(&mut building, installation, key, &Site::of(TenantId(id), shard)).await?;
        building.commit().await?;
        is_built(&mut transaction, id).await?;
        transaction.commit().await?;
        made += 1;
    }
    Ok(Filled { made: made as usize, mean: begun.elapsed() / made.max(1) })
}

/// Roles and tables of a site in a further cell, whatever is there of them.
pub(super) async fn build_anew(
    building: &mut PgConnection,
    installation: &Installation,
    key: &InstallationKey,
    site: &Site,
) -> Result<(), sqlx::Error> {
    ensure_roles(building, installation, key, site).await?;
    build(building, installation, site).await
}

/// Written beside a schema of a further cell in the transaction that puts something into it, which is another one than
/// that in which it is taken out of the pool. Where the second was cut off, the schema is still in the pool, and no
/// longer empty.
const TAKEN: &str = "taken for a tenant";

/// Says that a schema is not empty any more.
pub(super) async fn mark_taken(building: &mut PgConnection, site: &Site) -> Result<(), sqlx::Error> {
    let mark = format!("COMMENT ON SCHEMA {} IS '{TAKEN}'", site.schema);
    building.execute(sqlx::raw_sql(AssertSqlSafe(mark))).await.map(|_| ())
}

/// Whether a schema of a further cell is there, and empty still.
pub(super) async fn is_untouched(home: &mut PgConnection, site: &Site) -> Result<bool, sqlx::Error> {
    let find = "SELECT coalesce(obj_description(to_regnamespace($1), 'pg_namespace'), '') <> $2 AND to_regnamespace($1) IS NOT NULL";
    sqlx::query_scalar(find).bind(site.schema.as_str()).bind(TAKEN).fetch_one(home).await
}

/// Takes a site of a further cell out of the pool: one with a schema if there is one, else one that was only noted;
/// and whether its schema is said to be there.
pub(super) async fn claim_in(
    transaction: &mut PgConnection,
    cell: &str,
) -> Result<Option<(Site, bool)>, sqlx::Error> {
    let taken: Option<(Uuid, i32, bool)> = sqlx::query_as(
        "DELETE FROM control.warm_schema WHERE id = (
            SELECT id FROM control.warm_schema WHERE cell_id = $2 AND coalesce(schema_version, $1) <= $1
            ORDER BY schema_version DESC NULLS LAST, id LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING id, login_shard, coalesce(schema_version = $1, false)",
    )
    .bind(snapshot_version())
    .bind(cell)
    .fetch_optional(transaction)
    .await?;
    Ok(taken.map(|(id, shard, is_built)| (Site::of(TenantId(id), shard), is_built)))
}

/// Notes one more site of a further cell.
pub(super) async fn note_one(
    transaction: &mut PgConnection,
    clock: &SharedClock,
    cell: &str,
) -> Result<(), sqlx::Error> {
    take_turn(transaction).await?;
    note_sites(transaction, clock, cell, 1).await
}

/// Takes a schema for a clinic, if one of this version is there that nobody else is about to take.
pub(super) async fn claim(transaction: &mut PgConnection) -> Result<Option<Site>, sqlx::Error> {
    let taken: Option<(Uuid, i32)> = sqlx::query_as(
        "DELETE FROM control.warm_schema WHERE id = (
            SELECT id FROM control.warm_schema WHERE schema_version = $1 AND cell_id = 'main'
            ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING id, login_shard",
    )
    .bind(snapshot_version())
    .fetch_optional(transaction)
    .await?;
    Ok(taken.map(|(id, shard)| Site::of(TenantId(id), shard)))
}

async fn reserve_missing(
    admin: &mut PgConnection,
    installation: &Installation,
    wrapper: &dyn KeyWrapper,
    clock: &SharedClock,
    size: i64,
) -> Result<(), InstallationError> {
    // The first look is without a lock: mostly there is nothing to do.
    if missing(admin, MAIN, size).await? <= 0 {
        return Ok(());
    }
    let mut transaction = admin.begin().await?;
    take_turn(&mut transaction).await?;
    let missing = missing(&mut transaction, MAIN, size).await?;
    let sites = reserve(&mut transaction, installation, wrapper, clock, missing).await?;
    for site in &sites {
        note_site(&mut transaction, site, MAIN).await?;
    }
    Ok(transaction.commit().await?)
}

/// How many schemas the pool lacks; one that is newer than this build is no use to it.
async fn missing(connection: &mut PgConnection, cell: &str, size: i64) -> Result<i64, sqlx::Error> {
    let WarmPool { ready, outdated, reserved, .. } = warm_pool(connection, Some(cell)).await?;
    Ok(size - ready - outdated - reserved)
}

/// Makes the next schema that is missing or outdated; false when there is none.
async fn build_next(admin: &mut PgConnection, installation: &Installation) -> Result<bool, sqlx::Error> {
    let mut transaction = admin.begin().await?;
    let next: Option<(Uuid, i32)> =
        sqlx::query_as(LACKING).bind(snapshot_version()).bind(MAIN).fetch_optional(&mut *transaction).await?;
    let Some((id, shard)) = next else {
        transaction.rollback().await?;
        return Ok(false);
    };
    build(&mut transaction, installation, &Site::of(TenantId(id), shard)).await?;
    is_built(&mut transaction, id).await?;
    transaction.commit().await?;
    Ok(true)
}

/// Notes that the schema of a site is there.
async fn is_built(transaction: &mut PgConnection, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE control.warm_schema SET schema_version = $2 WHERE id = $1")
        .bind(id)
        .bind(snapshot_version())
        .execute(transaction)
        .await
        .map(|_| ())
}
