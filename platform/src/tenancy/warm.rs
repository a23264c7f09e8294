//! The warm pool: schemas made ahead of need, so that a new clinic only takes one.
//!
//! A schema of the pool is empty, or holds the rows of one template already. The ids of such rows follow from the
//! clinic's, which is given when the schema is reserved.
//!
//! Roles come first and many at once, then one schema after the other: in one transaction, or in many small ones where
//! servers would notice. What is in the pool stands in `control.warm_schema` at each of these steps, so a run that was
//! killed is gone on with by the next.

use std::time::{Duration, Instant};

use praxis_entity::ids::TenantId;
use serde::Serialize;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::{
    InstallationError,
    bootstrap::installation_key,
    cells::MAIN,
    control::Installation,
    seed::apply_template,
    site::{
        Rests, Site, build, build_gently, ensure_roles, note_site, note_sites, reserve, somebody_is_served,
        take_turn,
    },
    snapshot_version,
};
use crate::{
    clock::SharedClock,
    template::Template,
    vault::{InstallationKey, KeyWrapper},
};

/// Which schemas are meant: those of a cell that hold the rows of a template, or none.
#[derive(Clone, Copy)]
pub struct PoolOf<'a> {
    /// The cell.
    pub cell: &'a str,
    /// The template, if any.
    pub template: Option<&'a Template>,
}

impl<'a> PoolOf<'a> {
    fn name(self) -> Option<&'a str> {
        self.template.map(|template| template.manifest.name.as_str())
    }

    fn version(self) -> Option<&'a str> {
        self.template.map(|template| template.manifest.version.as_str())
    }
}

/// A schema taken out of the pool.
pub(super) struct Claimed {
    pub(super) site: Site,
    /// Whether the schema is said to be there.
    pub(super) is_built: bool,
    /// Whether it holds the template's rows already.
    pub(super) is_filled: bool,
}

/// What is in the pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct WarmPool {
    /// Schemas that the next clinics take.
    pub ready: i64,
    /// Schemas of an older version: no clinic takes them, and the next `fill` makes them anew.
    pub outdated: i64,
    /// Places whose schema is not there, or half made: a `fill` is under way, or was killed.
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

/// Sees to it that a pool holds so many schemas of this version, with the rows of a template if one is given. A second
/// run at the same time does its share. `home` leads to the pool's cell; neither connection may be in a transaction.
///
/// Two connections, for they may lead to two databases: the one holds the place in the pool while the other makes what
/// belongs there. Killed in between, the place says that it has no schema, and the next run makes it anew.
pub async fn fill_pool(
    admin: &mut PgConnection,
    home: &mut PgConnection,
    pool: PoolOf<'_>,
    installation: &Installation,
    wrapper: &dyn KeyWrapper,
    clock: &SharedClock,
    size: i64,
) -> Result<Filled, InstallationError> {
    reserve_missing(admin, installation, wrapper, clock, pool, size).await?;
    let maker = Maker { pool, installation, wrapper, rests: Rests::Ahead, key: OnceCell::new() };
    let (begun, mut made) = (Instant::now(), 0_u32);
    while maker.make_next(admin, home).await? {
        made += 1;
    }
    Ok(Filled { made: made as usize, mean: begun.elapsed() / made.max(1) })
}

/// While somebody is served where `home` leads to, makes the schema that the next clinic takes, unless the pool has one.
pub(super) async fn make_one(
    admin: &mut PgConnection,
    home: &mut PgConnection,
    pool: PoolOf<'_>,
    installation: &Installation,
    wrapper: &dyn KeyWrapper,
    clock: &SharedClock,
) -> Result<(), InstallationError> {
    if has_ready(admin, pool).await? || !somebody_is_served(home, installation).await? {
        return Ok(());
    }
    let maker = Maker { pool, installation, wrapper, rests: Rests::Awaited, key: OnceCell::new() };
    // First what a run that was killed left half made.
    if !maker.make_next(admin, home).await? {
        let mut transaction = admin.begin().await?;
        take_turn(&mut transaction).await?;
        reserve_places(&mut transaction, installation, wrapper, clock, pool, 1).await?;
        transaction.commit().await?;
        maker.make_next(admin, home).await?;
    }
    Ok(())
}

/// Makes schemas that a pool lacks.
struct Maker<'a> {
    pool: PoolOf<'a>,
    installation: &'a Installation,
    wrapper: &'a dyn KeyWrapper,
    rests: Rests,
    /// The installation's key, once it was needed.
    key: OnceCell<InstallationKey>,
}

impl Maker<'_> {
    /// Makes the schema of the next place that lacks one. False where none does, or somebody is at each.
    async fn make_next(
        &self,
        admin: &mut PgConnection,
        home: &mut PgConnection,
    ) -> Result<bool, InstallationError> {
        give_up_outdated(admin, self.pool).await?;
        let gently = somebody_is_served(home, self.installation).await?;
        let mut place = admin.begin().await?;
        let Some(site) = next_lacking(&mut place, self.pool).await? else { return Ok(false) };
        if self.pool.cell != MAIN {
            let key = self.key.get_or_try_init(|| installation_key(&mut place, self.wrapper)).await?;
            let mut roles = home.begin().await?;
            ensure_roles(&mut roles, self.installation, key, &site).await?;
            roles.commit().await?;
        }
        if gently {
            build_gently(home, &mut place, self.installation, &site, self.rests).await?;
        } else {
            let mut building = home.begin().await?;
            build(&mut building, self.installation, &site).await?;
            still_held(&mut place).await?;
            building.commit().await?;
        }
        if let Some(template) = self.pool.template {
            let mut filling = home.begin().await?;
            fill(&mut filling, self.installation, &site, template).await?;
            still_held(&mut place).await?;
            filling.commit().await?;
        }
        is_built(&mut place, &site, self.pool).await?;
        place.commit().await?;
        Ok(true)
    }
}

/// Fails where the connection is gone that holds a place in the pool: whatever is there may be somebody's by now.
pub(super) async fn still_held(place: &mut PgConnection) -> Result<(), sqlx::Error> {
    place.execute("SELECT").await.map(|_| ())
}

/// Says of what is outdated that it is not there, so that nobody takes it half-made.
async fn give_up_outdated(admin: &mut PgConnection, pool: PoolOf<'_>) -> Result<(), sqlx::Error> {
    let outdated = "UPDATE control.warm_schema SET schema_version = NULL WHERE id IN (
        SELECT id FROM control.warm_schema
        WHERE cell_id = $2 AND template IS NOT DISTINCT FROM $3 AND schema_version <= $1
            AND (schema_version < $1 OR template_version IS DISTINCT FROM $4)
        FOR UPDATE SKIP LOCKED)";
    sqlx::query(outdated)
        .bind(snapshot_version())
        .bind(pool.cell)
        .bind(pool.name())
        .bind(pool.version())
        .execute(admin)
        .await
        .map(|_| ())
}

/// The next place of a pool without a schema, of those that nobody is at.
async fn next_lacking(transaction: &mut PgConnection, pool: PoolOf<'_>) -> Result<Option<Site>, sqlx::Error> {
    let next: Option<(Uuid, i32)> = sqlx::query_as(
        "SELECT id, login_shard FROM control.warm_schema
         WHERE cell_id = $1 AND template IS NOT DISTINCT FROM $2 AND schema_version IS NULL
         ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED",
    )
    .bind(pool.cell)
    .bind(pool.name())
    .fetch_optional(transaction)
    .await?;
    Ok(next.map(|(id, shard)| Site::of(TenantId(id), shard)))
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

/// Takes a site of a further cell out of the pool: one that holds the template's rows if there is one, else an empty one,
/// else one that was only noted.
pub(super) async fn claim_in(
    transaction: &mut PgConnection,
    pool: PoolOf<'_>,
) -> Result<Option<Claimed>, sqlx::Error> {
    claim_where(transaction, pool, "coalesce(schema_version, $1) <= $1").await
}

async fn claim_where(
    transaction: &mut PgConnection,
    pool: PoolOf<'_>,
    version: &str,
) -> Result<Option<Claimed>, sqlx::Error> {
    let sql = format!(
        "DELETE FROM control.warm_schema WHERE id = (
            SELECT id FROM control.warm_schema
            WHERE cell_id = $2 AND {version} AND (template IS NULL OR (template, template_version) = ($3, $4))
            ORDER BY schema_version DESC NULLS LAST, template NULLS LAST, id LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING id, login_shard, coalesce(schema_version = $1, false), template IS NOT NULL"
    );
    let taken: Option<(Uuid, i32, bool, bool)> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(snapshot_version())
        .bind(pool.cell)
        .bind(pool.name())
        .bind(pool.version())
        .fetch_optional(transaction)
        .await?;
    Ok(taken.map(|(id, shard, is_built, is_filled)| {
        let site = Site::of(TenantId(id), shard);
        Claimed { site, is_built, is_filled: is_built && is_filled }
    }))
}

/// Notes one more site of a further cell.
pub(super) async fn note_one(
    transaction: &mut PgConnection,
    clock: &SharedClock,
    cell: &str,
) -> Result<(), sqlx::Error> {
    take_turn(transaction).await?;
    note_sites(transaction, clock, PoolOf { cell, template: None }, 1).await
}

/// Takes a schema for a clinic, if one of this version is there that nobody else is about to take: one that holds the
/// template's rows, else an empty one.
pub(super) async fn claim(
    transaction: &mut PgConnection,
    template: &Template,
) -> Result<Option<Claimed>, sqlx::Error> {
    let pool = PoolOf { cell: MAIN, template: Some(template) };
    claim_where(transaction, pool, "schema_version = $1").await
}

/// Writes the rows of a template into the empty schema of a site, as the owner of its tables.
pub(super) async fn fill(
    transaction: &mut PgConnection,
    installation: &Installation,
    site: &Site,
    template: &Template,
) -> Result<(), sqlx::Error> {
    let enter =
        format!("SET LOCAL ROLE {}; SET LOCAL search_path = {}", installation.owner_role(), site.schema);
    transaction.execute(sqlx::raw_sql(AssertSqlSafe(enter))).await?;
    apply_template(transaction, site.id.0, template).await?;
    transaction.execute(sqlx::raw_sql("RESET ROLE; RESET search_path")).await.map(|_| ())
}

async fn reserve_missing(
    admin: &mut PgConnection,
    installation: &Installation,
    wrapper: &dyn KeyWrapper,
    clock: &SharedClock,
    pool: PoolOf<'_>,
    size: i64,
) -> Result<(), InstallationError> {
    // The first look is without a lock: mostly there is nothing to do.
    if missing(admin, pool, size).await? <= 0 {
        return Ok(());
    }
    let mut transaction = admin.begin().await?;
    take_turn(&mut transaction).await?;
    let missing = missing(&mut transaction, pool, size).await?;
    reserve_places(&mut transaction, installation, wrapper, clock, pool, missing).await?;
    Ok(transaction.commit().await?)
}

/// Reserves so many places of a pool. It must be one's turn.
async fn reserve_places(
    transaction: &mut PgConnection,
    installation: &Installation,
    wrapper: &dyn KeyWrapper,
    clock: &SharedClock,
    pool: PoolOf<'_>,
    count: i64,
) -> Result<(), InstallationError> {
    if pool.cell == MAIN {
        for site in reserve(transaction, installation, wrapper, clock, count).await? {
            note_site(transaction, &site, pool).await?;
        }
    } else {
        // Their roles are made in the cell, with the schema.
        note_sites(transaction, clock, pool, count).await?;
    }
    Ok(())
}

/// Whether the next clinic can take a schema of this version.
async fn has_ready(admin: &mut PgConnection, pool: PoolOf<'_>) -> Result<bool, sqlx::Error> {
    let ready = "SELECT EXISTS (SELECT FROM control.warm_schema
        WHERE cell_id = $2 AND schema_version = $1 AND (template IS NULL OR (template, template_version) = ($3, $4)))";
    sqlx::query_scalar(ready)
        .bind(snapshot_version())
        .bind(pool.cell)
        .bind(pool.name())
        .bind(pool.version())
        .fetch_one(admin)
        .await
}

/// How many schemas a pool lacks; one that is newer than this build is no use to it.
async fn missing(connection: &mut PgConnection, pool: PoolOf<'_>, size: i64) -> Result<i64, sqlx::Error> {
    let there: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM control.warm_schema
         WHERE cell_id = $2 AND template IS NOT DISTINCT FROM $3 AND coalesce(schema_version, $1) <= $1",
    )
    .bind(snapshot_version())
    .bind(pool.cell)
    .bind(pool.name())
    .fetch_one(connection)
    .await?;
    Ok(size - there)
}

/// Notes that the schema of a site is there, and what it holds.
async fn is_built(transaction: &mut PgConnection, site: &Site, pool: PoolOf<'_>) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE control.warm_schema SET schema_version = $2, template_version = $3 WHERE id = $1")
        .bind(site.id.0)
        .bind(snapshot_version())
        .bind(pool.version())
        .execute(transaction)
        .await
        .map(|_| ())
}
