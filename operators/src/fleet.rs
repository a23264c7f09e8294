//! The installation as a whole: its cells, its servers, and which clinics are at which version.

use async_graphql::{Context, Error, ID, SimpleObject};
use praxis_fleet::{
    migrate::{Migrator, Options, Plan},
    registry::{self, CellRecord, ServerRecord, VersionRecord},
};

use praxis_fleet::operators::Right;
use praxis_platform::tenancy::{Cells, WarmPool, warm_pool};

use crate::{
    error::{database, migrate},
    ground::{Ground, holder, reading},
    scalar::DateTime,
    stored::{CellRole, MigrationWay, Stored},
};

/// A Postgres that holds clinics.
#[derive(SimpleObject)]
pub(crate) struct Cell {
    /// Its name.
    id: ID,
    /// What it is for.
    role: CellRole,
    /// Clinics that it may hold.
    max_tenants: i32,
    /// Clinics that it holds.
    tenants: i32,
    /// Whether the control plane knows where it is.
    is_configured: bool,
}

impl Cell {
    pub(crate) fn of(row: CellRecord, cells: &Cells) -> Self {
        let is_configured = cells.knows(&row.id);
        let tenants = i32::try_from(row.tenants).unwrap_or(i32::MAX);
        let (role, max_tenants) = (CellRole::read(&row.role), row.max_tenants);
        Self { id: ID(row.id), role, max_tenants, tenants, is_configured }
    }
}

/// A server that said within half a minute that it is there.
#[derive(SimpleObject)]
pub(crate) struct Server {
    /// Its id, new with each start.
    id: ID,
    /// The newest step of a clinic's schema that it knows.
    build: i32,
    /// Since when it is there.
    started_at: DateTime,
    /// When it last said so.
    seen_at: DateTime,
}

impl From<ServerRecord> for Server {
    fn from(row: ServerRecord) -> Self {
        let (started_at, seen_at) = (DateTime(row.started_at), DateTime(row.seen_at));
        Self { id: ID(row.id.to_string()), build: row.build, started_at, seen_at }
    }
}

/// How many clinics are at a version.
#[derive(SimpleObject)]
pub(crate) struct VersionCount {
    /// The version.
    version: i32,
    /// How many clinics.
    tenants: i32,
}

impl From<VersionRecord> for VersionCount {
    fn from(row: VersionRecord) -> Self {
        Self { version: row.version, tenants: i32::try_from(row.tenants).unwrap_or(i32::MAX) }
    }
}

/// Where the schemas are, and where this build would bring them.
#[derive(SimpleObject)]
pub(crate) struct Fleet {
    /// Version of the control schema.
    control_version: i32,
    /// The version that this build would bring it to.
    control_target: i32,
    /// The version that this build would bring clinics to.
    tenant_target: i32,
    /// How many clinics are at which version.
    versions: Vec<VersionCount>,
    /// The servers that are there.
    servers: Vec<Server>,
}

impl Fleet {
    pub(crate) async fn read(context: &Context<'_>) -> Result<Self, Error> {
        let migrator = Migrator::new(&context.data::<Ground>()?.cells);
        let mut connection = reading(context).await?;
        let versions = registry::versions(&mut connection).await.map_err(database)?;
        let servers = registry::servers(&mut connection).await.map_err(database)?;
        Ok(Self {
            control_version: registry::control_version(&mut connection).await.map_err(database)?,
            control_target: migrator.control_target(),
            tenant_target: migrator.tenant_target(),
            versions: versions.into_iter().map(VersionCount::from).collect(),
            servers: servers.into_iter().map(Server::from).collect(),
        })
    }
}

/// What `praxis migrate up` of this build would do.
#[derive(SimpleObject)]
pub(crate) struct MigrationPlan {
    /// Steps of the control schema.
    control_steps: Vec<String>,
    /// Steps of clinics.
    steps: Vec<MigrationStep>,
    /// How long it may take, from the last run; null where there was none.
    estimated_seconds: Option<f64>,
}

/// A step that clinics lack.
#[derive(SimpleObject)]
pub(crate) struct MigrationStep {
    /// The version that it leads to.
    version: i32,
    /// Its name.
    name: String,
    /// How it is applied.
    way: MigrationWay,
    /// How many clinics lack it.
    tenants: i32,
    /// It waits for servers that use what it takes away.
    waits: bool,
    /// What it does.
    statements: Vec<MigrationStatement>,
}

/// A statement of a step.
#[derive(SimpleObject)]
pub(crate) struct MigrationStatement {
    /// Its first line.
    statement: String,
    /// What it locks, such as `ACCESS EXCLUSIVE on patient`.
    locks: Vec<String>,
}

impl MigrationPlan {
    pub(crate) async fn read(context: &Context<'_>) -> Result<Self, Error> {
        holder(context, Right::Read)?;
        let migrator = Migrator::new(&context.data::<Ground>()?.cells);
        let plan = migrator.plan(&Options::default()).await.map_err(migrate)?;
        let Plan { control, steps, estimated_seconds, .. } = plan;
        let steps = steps.into_iter().map(|step| MigrationStep {
            version: step.version,
            name: step.step,
            way: MigrationWay::read(step.way),
            tenants: i32::try_from(step.tenants).unwrap_or(i32::MAX),
            waits: step.waiting.is_some(),
            statements: step
                .statements
                .into_iter()
                .map(|statement| MigrationStatement {
                    statement: statement.statement,
                    locks: statement
                        .locks
                        .iter()
                        .map(|lock| format!("{} on {}", lock.mode, lock.table))
                        .collect(),
                })
                .collect(),
        });
        Ok(Self { control_steps: control, steps: steps.collect(), estimated_seconds })
    }
}

/// Schemas made ahead of need, so that a new clinic is there at once.
#[derive(SimpleObject)]
pub(crate) struct Pool {
    /// Schemas that the next clinics take.
    ready: i32,
    /// Schemas of an older version, which are made anew when the pool is filled.
    outdated: i32,
    /// Places whose schema is not there, or half made: the pool is being filled, or was when that was killed.
    reserved: i32,
    /// Schemas of a newer version than this build's.
    newer: i32,
}

impl Pool {
    pub(crate) async fn read(context: &Context<'_>) -> Result<Self, Error> {
        let mut connection = reading(context).await?;
        let WarmPool { ready, outdated, reserved, newer } =
            warm_pool(&mut connection, None).await.map_err(database)?;
        let count = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
        Ok(Self {
            ready: count(ready),
            outdated: count(outdated),
            reserved: count(reserved),
            newer: count(newer),
        })
    }
}
