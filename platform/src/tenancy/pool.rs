//! The tenant-affine pool: connections that stay with the tenants they served.
//!
//! Plans and caches belong to a connection, and there they belong to a tenant's schema. So a tenant gets
//! a connection that served it before whenever one is free. A backend's caches grow with every schema it
//! visits, so a connection that has seen many tenants is replaced. Clinics take turns.
//! Each cell has connections and turns of its own: one that is slow or away holds up nobody of another.
//! The pool runs no query itself: it only gives leases, and a lease is bound to one tenant.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sea_orm::{DbErr, RuntimeErr};
use sqlx::postgres::PgConnection;
use sqlx::{ConnectOptions, Connection};

use super::{
    CellUnknown, Control, MAIN, SchemaName, StatementClass, StatementTimes, Tenant, homes::Home,
    lease::Lease, turns::Turns,
};

/// How long a further cell is left alone that let somebody wait in vain for a connection.
const LEFT_ALONE: Duration = Duration::from_secs(2);

/// How large the pool of a cell may grow and when a connection is replaced.
#[derive(Debug, Clone, Copy)]
pub struct PoolLimits {
    /// Connections at work at the same time, at the most.
    pub connections: usize,
    /// Connections kept open, those that nobody uses now among them. The more, the more tenants find one that knows them.
    pub open: usize,
    /// How long a request waits for one.
    pub wait: Duration,
    /// Tenants a connection may serve before it is replaced.
    pub tenants_per_connection: usize,
    /// Age at which a connection is replaced.
    pub max_age: Duration,
    /// How long a statement may take.
    pub statements: StatementTimes,
}

impl Default for PoolLimits {
    fn default() -> Self {
        Self {
            connections: 12,
            open: 24,
            wait: Duration::from_secs(3),
            tenants_per_connection: 64,
            max_age: Duration::from_secs(30 * 60),
            statements: StatementTimes::default(),
        }
    }
}

/// Connections to all cells, each tenant's to its own.
#[derive(Clone)]
pub struct Pool {
    control: Control,
    cells: Arc<BTreeMap<String, Arc<Shared>>>,
}

/// Connections to one cell.
pub(super) struct Shared {
    control: Control,
    cell: String,
    limits: PoolLimits,
    turns: Turns,
    idle: Mutex<Vec<Seat>>,
    /// Until when a further cell that did not answer is not asked again.
    away_until: Mutex<Option<Instant>>,
}

/// A connection with what is known of it.
pub(super) struct Seat {
    pub(super) connection: PgConnection,
    /// The schema it is bound to.
    pub(super) bound: Option<SchemaName>,
    /// Whose statement timeout is set on it.
    pub(super) class: StatementClass,
    /// How often the tenant that it is bound to had moved.
    pub(super) moves: i64,
    shard: i32,
    seen: HashSet<SchemaName>,
    born: Instant,
}

impl Pool {
    /// A pool over the cells that are configured, so large for each of them. Connects on demand.
    pub fn new(control: Control, limits: PoolLimits) -> Self {
        let shared = |cell: &str| {
            let (control, cell) = (control.clone(), cell.to_owned());
            let (turns, idle) = (Turns::new(limits.connections), Mutex::new(Vec::new()));
            let away_until = Mutex::new(None);
            (cell.clone(), Arc::new(Shared { control, cell, limits, turns, idle, away_until }))
        };
        let cells = Arc::new(control.cells().names().map(shared).collect());
        Self { control, cells }
    }

    /// The control schema.
    pub(crate) fn control(&self) -> &Control {
        &self.control
    }

    /// A lease bound to the tenant: a free connection of its own, else one of its shard, else a new one.
    pub(super) async fn lease(
        &self,
        tenant: &Tenant,
        home: &Home,
        class: StatementClass,
    ) -> Result<Lease, DbErr> {
        // As is known now: a connection never leaves its cell, so a clinic that moved gets one of the new cell.
        let shared = self.cells.get(&home.cell).ok_or_else(|| CellUnknown(home.cell.clone()))?;
        let turn = tokio::time::timeout(shared.limits.wait, shared.turns.take(&tenant.schema))
            .await
            .map_err(|_| connection_error(sqlx::Error::PoolTimedOut))?;
        let (taken, displaced) = shared.take(tenant, home.shard, class);
        if let Some(displaced) = displaced {
            // Say good-bye in the background: the request need not wait for it.
            tokio::spawn(displaced.connection.close());
        }
        let seat = match taken {
            Some(seat) => seat,
            None => shared.connect(home.shard).await?,
        };
        let mut lease = Lease::new(Arc::clone(shared), turn, seat, class, home.moves);
        lease.bind(&tenant.schema).await?;
        Ok(lease)
    }

    /// Connections that are open and free.
    pub fn idle(&self) -> usize {
        self.cells.values().map(|shared| shared.idle().len()).sum()
    }

    /// Connections in use.
    pub fn in_use(&self) -> usize {
        self.cells.values().map(|shared| shared.limits.connections - shared.turns.free()).sum()
    }
}

impl Shared {
    fn idle(&self) -> MutexGuard<'_, Vec<Seat>> {
        // The list is valid at every point, so a panic elsewhere does not spoil it.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A free connection that fits, and one that must make room if none does.
    fn take(&self, tenant: &Tenant, shard: i32, class: StatementClass) -> (Option<Seat>, Option<Seat>) {
        let mut idle = self.idle();
        // One that moved away and came back is served by another login role, as a rule.
        let is_own = |seat: &Seat| seat.shard == shard && seat.bound.as_ref() == Some(&tenant.schema);
        // Best is one to which nothing has to be said.
        let ready = idle.iter().rposition(|seat| is_own(seat) && seat.class == class);
        let own = ready.or_else(|| idle.iter().rposition(is_own));
        // One that served the tenant before has its plans still.
        let known = own.or_else(|| {
            idle.iter().rposition(|seat| seat.shard == shard && seat.seen.contains(&tenant.schema))
        });
        if known.is_none() {
            let open = idle.len() + self.limits.connections - self.turns.free() - 1;
            if open < self.limits.open {
                return (None, None);
            }
        }
        // The front of the list has been idle for longest: its tenants are the least likely to miss it.
        let place = known.or_else(|| idle.iter().position(|seat| seat.shard == shard));
        match place {
            Some(place) => (Some(idle.remove(place)), None),
            None if idle.is_empty() => (None, None),
            None => (None, Some(idle.remove(0))),
        }
    }

    /// Takes a connection back, unless it has served its time.
    pub(super) fn give_back(&self, seat: Seat) {
        if seat.seen.len() <= self.limits.tenants_per_connection && seat.born.elapsed() < self.limits.max_age
        {
            self.idle().push(seat);
        }
    }

    async fn connect(&self, shard: i32) -> Result<Seat, DbErr> {
        let class = StatementClass::Interactive;
        let timeout = self.limits.statements.of(class);
        let options = self.control.app_options(&self.cell, shard, timeout).map_err(connection_error)?;
        if self.is_away() {
            return Err(connection_error(sqlx::Error::PoolTimedOut));
        }
        let connection = tokio::time::timeout(self.limits.wait, options.connect())
            .await
            .map_err(|_| self.did_not_answer())?
            .map_err(connection_error)?;
        Ok(Seat {
            connection,
            bound: None,
            class,
            moves: 0,
            shard,
            seen: HashSet::new(),
            born: Instant::now(),
        })
    }

    /// Whether a connection was waited for in vain a moment ago. Who goes over all clinics, one after the other, would
    /// else wait at each of such a cell, and those of the others with it.
    fn is_away(&self) -> bool {
        let until = *self.away_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    fn did_not_answer(&self) -> DbErr {
        if self.cell != MAIN {
            let until = Instant::now().checked_add(LEFT_ALONE);
            *self.away_until.lock().unwrap_or_else(PoisonError::into_inner) = until;
        }
        connection_error(sqlx::Error::PoolTimedOut)
    }

    /// How long a statement of a class may take.
    pub(super) fn statement_timeout(&self, class: StatementClass) -> Duration {
        self.limits.statements.of(class)
    }

    /// A new connection in place of one that turned out stale.
    pub(super) async fn reconnect(&self, shard: i32) -> Result<Seat, DbErr> {
        self.connect(shard).await
    }
}

impl Seat {
    pub(super) fn shard(&self) -> i32 {
        self.shard
    }

    pub(super) fn now_bound_to(&mut self, schema: &SchemaName, class: StatementClass, moves: i64) {
        self.bound = Some(schema.clone());
        self.class = class;
        self.moves = moves;
        self.seen.insert(schema.clone());
    }
}

pub(super) fn connection_error(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)))
}
