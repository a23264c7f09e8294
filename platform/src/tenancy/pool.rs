//! The tenant-affine pool: connections that stay with the tenants they served.
//!
//! Plans and caches belong to a connection, and there they belong to a tenant's schema. So a tenant gets
//! a connection that served it before, where there is one ([`Seats`]). A backend's caches grow with every schema it
//! visits, so a connection that has seen many tenants is replaced. Clinics take turns.
//! Each cell has connections and turns of its own: one that is slow or away holds up nobody of another.
//! The pool runs no query itself: it only gives leases, and a lease is bound to one tenant.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures::FutureExt;
use sea_orm::{DbErr, RuntimeErr};
use sqlx::{ConnectOptions, Connection};

use super::{
    CellUnknown, Control, MAIN, StatementClass, StatementTimes, Tenant,
    homes::Home,
    lease::Lease,
    seats::{Found, Seat, Seats},
    turns::Turns,
};

/// How long a further cell is left alone that let somebody wait in vain for a connection.
const LEFT_ALONE: Duration = Duration::from_secs(2);

/// Connections that served their time are replaced one by one, so long after each other: where they serve more tenants than
/// they are meant to know, all would else lose their plans at once, again and again.
const APART: Duration = Duration::from_secs(5);

/// A connection that served so many times the tenants it is meant for is replaced at once.
const FAR_TOO_MANY: usize = 4;

/// How long a tenant waits for a connection that knows it and is in use: some requests long, those of a server to which all
/// clinics are new among them, a dozen at once at 15 ms of processor each. Who gave up while all is slow would make one
/// connection after the other know each clinic, and that is what makes all slow.
const WORTH_WAITING: Duration = Duration::from_millis(300);

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
    seats: Seats,
    /// Until when a further cell that did not answer is not asked again.
    away_until: Mutex<Option<Instant>>,
    /// When a connection was replaced last because it had served its time.
    replaced: Mutex<Option<Instant>>,
}

impl Pool {
    /// A pool over the cells that are configured, so large for each of them. Connects on demand.
    pub fn new(control: Control, limits: PoolLimits) -> Self {
        let shared = |cell: &str| {
            let (control, cell) = (control.clone(), cell.to_owned());
            let (turns, seats) = (Turns::new(limits.connections), Seats::default());
            let (away_until, replaced) = (Mutex::new(None), Mutex::new(None));
            (cell.clone(), Arc::new(Shared { control, cell, limits, turns, seats, away_until, replaced }))
        };
        let cells = Arc::new(control.cells().names().map(shared).collect());
        Self { control, cells }
    }

    /// The control schema.
    pub(crate) fn control(&self) -> &Control {
        &self.control
    }

    /// A lease bound to the tenant: a free connection of its own, else one of its shard, else a new one. It waits behind so
    /// many others of the tenant at the most.
    pub(super) async fn lease(
        &self,
        tenant: &Tenant,
        home: &Home,
        class: StatementClass,
        behind: usize,
    ) -> Result<Lease, DbErr> {
        // As is known now: a connection never leaves its cell, so a clinic that moved gets one of the new cell.
        let shared = self.cells.get(&home.cell).ok_or_else(|| CellUnknown(home.cell.clone()))?;
        let turn = tokio::time::timeout(shared.limits.wait, shared.turns.take(&tenant.schema, behind))
            .await
            .map_err(|_| connection_error(sqlx::Error::PoolTimedOut))?;
        let seat = shared.take(tenant, home.shard, class).await?;
        let mut lease = Lease::new(Arc::clone(shared), turn, seat, class, home.moves);
        lease.bind(&tenant.schema).await?;
        Ok(lease)
    }

    /// Whether somebody of the tenant waits for a connection.
    pub(super) fn is_awaited(&self, tenant: &Tenant) -> bool {
        let cell = self.control.home(tenant).cell;
        self.cells.get(&cell).is_some_and(|shared| shared.turns.is_awaited(&tenant.schema))
    }

    /// Connections that are open and free.
    pub fn idle(&self) -> usize {
        self.cells.values().map(|shared| shared.seats.free()).sum()
    }

    /// Connections in use.
    pub fn in_use(&self) -> usize {
        self.cells.values().map(|shared| shared.limits.connections - shared.turns.free()).sum()
    }
}

impl Shared {
    /// A connection for the tenant, free or new.
    async fn take(&self, tenant: &Tenant, shard: i32, class: StatementClass) -> Result<Seat, DbErr> {
        // Whoever asks has a turn already.
        let more = |free: usize| free + self.limits.connections - self.turns.free() - 1 < self.limits.open;
        let mut found = self.seats.take(&tenant.schema, shard, class, true, more);
        if let Found::InUse(awaited) = found {
            if let Ok(Ok(seat)) = tokio::time::timeout(WORTH_WAITING, awaited).await {
                return Ok(seat);
            }
            found = self.seats.take(&tenant.schema, shard, class, false, more);
        }
        match found {
            Found::Free(seat) => Ok(seat),
            Found::InUse(_) | Found::None(None) => self.connect(shard).await,
            Found::None(Some(displaced)) => {
                // Say good-bye in the background: the request need not wait for it.
                tokio::spawn(displaced.connection.close());
                self.connect(shard).await
            }
        }
    }

    /// Takes a connection back, unless it has served its time.
    pub(super) fn give_back(&self, seat: Seat) {
        if !self.is_replaced(&seat) {
            self.seats.give_back(seat);
        }
    }

    /// Whether a connection is given up, and a later request opens another one in its place.
    fn is_replaced(&self, seat: &Seat) -> bool {
        let many = self.limits.tenants_per_connection;
        if seat.served_more_than(many.saturating_mul(FAR_TOO_MANY)) {
            return true;
        }
        if !seat.served_more_than(many) && !seat.is_older_than(self.limits.max_age) {
            return false;
        }
        let mut last = self.replaced.lock().unwrap_or_else(PoisonError::into_inner);
        let is_turn = last.is_none_or(|last| last.elapsed() >= APART);
        if is_turn {
            *last = Some(Instant::now());
        }
        is_turn
    }

    async fn connect(&self, shard: i32) -> Result<Seat, DbErr> {
        let class = StatementClass::Interactive;
        let timeout = self.limits.statements.of(class);
        let options = self.control.app_options(&self.cell, shard, timeout).map_err(connection_error)?;
        if self.is_away() {
            return Err(connection_error(sqlx::Error::PoolTimedOut));
        }
        // On the heap: opening a connection takes as much memory as ten statements, and hardly one of a thousand does it.
        let connection = tokio::time::timeout(self.limits.wait, options.connect().boxed())
            .await
            .map_err(|_| self.did_not_answer())?
            .map_err(connection_error)?;
        Ok(self.seats.opened(connection, shard, class))
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

pub(super) fn connection_error(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)))
}
