//! The warm pool: schemas made ahead of need, so that a new clinic only takes one and fills it.
//!
//! Roles come first and many at once, then one schema per transaction. What is in the pool stands in
//! `control.warm_schema` at each of these steps, so a run that was killed is gone on with by the next.

use std::time::{Duration, Instant};

use praxis_entity::ids::TenantId;
use serde::Serialize;
use sqlx::Connection;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::{
    InstallationError,
    control::Installation,
    site::{Site, build, reserve, take_turn},
    snapshot_version,
};
use crate::{clock::SharedClock, vault::KeyWrapper};

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

/// Counts what is in the pool.
pub async fn warm_pool(admin: &mut PgConnection) -> Result<WarmPool, sqlx::Error> {
    sqlx::query_as(
        "SELECT count(*) FILTER (WHERE schema_version = $1) AS ready, count(*) FILTER (WHERE schema_version < $1) AS outdated,
            count(*) FILTER (WHERE schema_version IS NULL) AS reserved, count(*) FILTER (WHERE schema_version > $1) AS newer
         FROM control.warm_schema",
    )
    .bind(snapshot_version())
    .fetch_one(admin)
    .await
}

/// Sees to it that the pool holds so many schemas of this version. A second run at the same time does its share.
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
    if missing(admin, size).await? <= 0 {
        return Ok(());
    }
    let mut transaction = admin.begin().await?;
    take_turn(&mut transaction).await?;
    let missing = missing(&mut transaction, size).await?;
    let sites = reserve(&mut transaction, installation, wrapper, clock, missing).await?;
    for site in &sites {
        sqlx::query(
            "INSERT INTO control.warm_schema (id, schema_name, cell_id, login_shard) VALUES ($1, $2, 'main', $3)",
        )
        .bind(site.id.0)
        .bind(site.schema.as_str())
        .bind(site.shard)
        .execute(&mut *transaction)
        .await?;
    }
    Ok(transaction.commit().await?)
}

/// How many schemas the pool lacks; one that is newer than this build is no use to it.
async fn missing(connection: &mut PgConnection, size: i64) -> Result<i64, sqlx::Error> {
    let WarmPool { ready, outdated, reserved, .. } = warm_pool(connection).await?;
    Ok(size - ready - outdated - reserved)
}

/// Makes the next schema that is missing or outdated; false when there is none.
async fn build_next(admin: &mut PgConnection, installation: &Installation) -> Result<bool, sqlx::Error> {
    let mut transaction = admin.begin().await?;
    let next: Option<(Uuid, i32)> = sqlx::query_as(
        "SELECT id, login_shard FROM control.warm_schema WHERE schema_version IS NULL OR schema_version < $1
         ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED",
    )
    .bind(snapshot_version())
    .fetch_optional(&mut *transaction)
    .await?;
    let Some((id, shard)) = next else {
        transaction.rollback().await?;
        return Ok(false);
    };
    build(&mut transaction, installation, &Site::of(TenantId(id), shard)).await?;
    sqlx::query("UPDATE control.warm_schema SET schema_version = $2 WHERE id = $1")
        .bind(id)
        .bind(snapshot_version())
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(true)
}
