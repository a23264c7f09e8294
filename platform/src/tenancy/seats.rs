//! Connections that are open, and which tenants each of them knows.
//!
//! A connection that served a tenant has its plans and caches, and one that did not needs several times as long for the
//! first request. So a tenant waits a moment for a connection that knows it, handed over by whoever has it, before it
//! settles on another one; and where it has to, it settles where the fewest others are.

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sqlx::postgres::PgConnection;
use tokio::sync::oneshot;

use super::{SchemaName, StatementClass};

/// A connection that nobody used for so long is not missed.
const A_WHILE: Duration = Duration::from_secs(5);

/// A connection with what is known of it.
pub(super) struct Seat<C = PgConnection> {
    pub(super) connection: C,
    /// The schema it is bound to.
    pub(super) bound: Option<SchemaName>,
    /// Whose statement timeout is set on it.
    pub(super) class: StatementClass,
    /// How often the tenant that it is bound to had moved.
    pub(super) moves: i64,
    shard: i32,
    seen: Seen,
    born: Instant,
    given_back: Instant,
}

/// The tenants that a connection served.
struct Seen {
    schemas: HashSet<SchemaName>,
    everywhere: Arc<Mutex<HashMap<SchemaName, usize>>>,
}

/// What a tenant finds when it comes for a connection.
pub(super) enum Found<C = PgConnection> {
    /// This one, to be bound.
    Free(Seat<C>),
    /// One that knows it is in use: it may come in a moment.
    InUse(Awaited<C>),
    /// A new one is to be opened, in the place of this one if there must be room.
    None(Option<Seat<C>>),
}

pub(super) type Awaited<C> = oneshot::Receiver<Seat<C>>;

/// The connections of one cell.
pub(super) struct Seats<C = PgConnection> {
    free: Mutex<Free<C>>,
    /// How many connections know a tenant, those in use among them.
    known: Arc<Mutex<HashMap<SchemaName, usize>>>,
}

struct Free<C> {
    /// Longest idle first.
    seats: Vec<Seat<C>>,
    /// Who waits for a connection that is in use.
    waiting: Vec<(SchemaName, i32, oneshot::Sender<Seat<C>>)>,
}

impl<C> Free<C> {
    /// Where the one is that makes room for one of another shard: the front of the list, if it has been idle for a while.
    /// In a crowd all were in use a moment ago: then it is, of the shard that has the most, the one that knows the fewest, and
    /// the others keep what they know.
    fn least_missed(&self) -> usize {
        let idle = self.seats.first().is_some_and(|seat| seat.given_back.elapsed() > A_WHILE);
        let of_shard = |shard: i32| self.seats.iter().filter(|seat| seat.shard == shard).count();
        let by = |seat: &Seat<C>| (Reverse(of_shard(seat.shard)), seat.seen.schemas.len());
        let least = self.seats.iter().enumerate().min_by_key(|(_, seat)| by(seat));
        least.filter(|_| !idle).map_or(0, |(place, _)| place)
    }
}

impl<C> Default for Seats<C> {
    fn default() -> Self {
        let free = Free { seats: Vec::new(), waiting: Vec::new() };
        Self { free: Mutex::new(free), known: Arc::default() }
    }
}

impl<C> Seats<C> {
    /// A connection that was opened just now.
    pub(super) fn opened(&self, connection: C, shard: i32, class: StatementClass) -> Seat<C> {
        let seen = Seen { schemas: HashSet::new(), everywhere: Arc::clone(&self.known) };
        let now = Instant::now();
        Seat { connection, bound: None, class, moves: 0, shard, seen, born: now, given_back: now }
    }

    /// How many are free.
    pub(super) fn free(&self) -> usize {
        self.lock().seats.len()
    }

    /// The best connection for a tenant. `more` says whether there may be more than are open: asked with the number of
    /// those that are free.
    pub(super) fn take(
        &self,
        schema: &SchemaName,
        shard: i32,
        class: StatementClass,
        wait: bool,
        more: impl FnOnce(usize) -> bool,
    ) -> Found<C> {
        let mut free = self.lock();
        // One that moved away and came back is served by another login role, as a rule.
        let is_own = |seat: &Seat<C>| seat.shard == shard && seat.bound.as_ref() == Some(schema);
        // Best is one to which nothing has to be said.
        let ready = free.seats.iter().rposition(|seat| is_own(seat) && seat.class == class);
        let own = ready.or_else(|| free.seats.iter().rposition(is_own));
        let knows = |seat: &Seat<C>| seat.shard == shard && seat.seen.schemas.contains(schema);
        if let Some(place) = own.or_else(|| free.seats.iter().rposition(knows)) {
            return Found::Free(free.seats.remove(place));
        }
        free.waiting.retain(|(.., sender)| !sender.is_closed());
        // One waits; whoever comes then makes another connection know the tenant, so that a busy one gets as many as it needs.
        let is_first = free.waiting.iter().all(|(waiting, ..)| waiting != schema);
        if wait && is_first && lock(&self.known).contains_key(schema) {
            let (sender, receiver) = oneshot::channel();
            free.waiting.push((schema.clone(), shard, sender));
            return Found::InUse(receiver);
        }
        if more(free.seats.len()) {
            return Found::None(None);
        }
        let of_shard = free.seats.iter().enumerate().filter(|(_, seat)| seat.shard == shard);
        match of_shard.min_by_key(|(_, seat)| seat.seen.schemas.len()).map(|(place, _)| place) {
            Some(place) => Found::Free(free.seats.remove(place)),
            None if free.seats.is_empty() => Found::None(None),
            None => {
                let place = free.least_missed();
                Found::None(Some(free.seats.remove(place)))
            }
        }
    }

    /// Takes a connection back: to whoever waits for one that knows what it knows, or to the others.
    pub(super) fn give_back(&self, mut seat: Seat<C>) {
        let mut free = self.lock();
        while let Some(place) = free
            .waiting
            .iter()
            .position(|(schema, shard, _)| *shard == seat.shard && seat.seen.schemas.contains(schema))
        {
            let (.., waiting) = free.waiting.remove(place);
            match waiting.send(seat) {
                Ok(()) => return,
                // Nobody waits there any more.
                Err(back) => seat = back,
            }
        }
        seat.given_back = Instant::now();
        free.seats.push(seat);
    }

    fn lock(&self) -> MutexGuard<'_, Free<C>> {
        lock(&self.free)
    }
}

impl<C> Seat<C> {
    pub(super) fn shard(&self) -> i32 {
        self.shard
    }

    /// Whether it served more tenants than that.
    pub(super) fn served_more_than(&self, tenants: usize) -> bool {
        self.seen.schemas.len() > tenants
    }

    /// Whether it has been open for longer than that.
    pub(super) fn is_older_than(&self, age: Duration) -> bool {
        self.born.elapsed() > age
    }

    pub(super) fn now_bound_to(&mut self, schema: &SchemaName, class: StatementClass, moves: i64) {
        self.bound = Some(schema.clone());
        self.class = class;
        self.moves = moves;
        if self.seen.schemas.insert(schema.clone()) {
            *lock(&self.seen.everywhere).entry(schema.clone()).or_default() += 1;
        }
    }
}

impl Drop for Seen {
    fn drop(&mut self) {
        let mut everywhere = lock(&self.everywhere);
        for schema in &self.schemas {
            match everywhere.get_mut(schema) {
                Some(count) if *count > 1 => *count -= 1,
                _ => drop(everywhere.remove(schema)),
            }
        }
    }
}

/// What is behind a lock is whole at every point where something could panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use praxis_entity::ids::TenantId;
    use uuid::Uuid;

    use super::*;

    const CLASS: StatementClass = StatementClass::Interactive;

    fn clinic(number: u128) -> SchemaName {
        SchemaName::of(TenantId(Uuid::from_u128(number)))
    }

    /// A connection, by its number, that served these clinics.
    fn seat(seats: &Seats<u32>, number: u32, served: &[u128]) -> Seat<u32> {
        let mut seat = seats.opened(number, 0, CLASS);
        served.iter().for_each(|clinic_| seat.now_bound_to(&clinic(*clinic_), CLASS, 0));
        seat
    }

    fn take(seats: &Seats<u32>, number: u128, wait: bool) -> Found<u32> {
        seats.take(&clinic(number), 0, CLASS, wait, |_| false)
    }

    fn number(found: Found<u32>) -> Option<u32> {
        match found {
            Found::Free(seat) => Some(seat.connection),
            Found::InUse(_) | Found::None(_) => None,
        }
    }

    #[test]
    fn a_clinic_finds_what_is_bound_to_it_and_else_what_knows_it() {
        let seats = Seats::default();
        for (number, served) in [(1, &[7, 8][..]), (2, &[8, 7]), (3, &[9])] {
            seats.give_back(seat(&seats, number, served));
        }
        assert_eq!(number(take(&seats, 7, true)), Some(2));
        assert_eq!(number(take(&seats, 7, true)), Some(1));
    }

    #[test]
    fn what_is_in_use_is_handed_over_to_whoever_waits_for_it() {
        let seats = Seats::default();
        let busy = seat(&seats, 1, &[7]);
        seats.give_back(seat(&seats, 2, &[8]));
        let Found::InUse(gone) = take(&seats, 7, true) else { panic!("another one was given") };
        drop(gone);
        let Found::InUse(mut first) = take(&seats, 7, true) else { panic!("another one was given") };
        assert!(first.try_recv().is_err());
        // The second settles elsewhere, and so does who waited long enough.
        assert_eq!(number(take(&seats, 7, true)), Some(2));
        seats.give_back(busy);
        assert_eq!(first.try_recv().unwrap().connection, 1);
        seats.give_back(seat(&seats, 4, &[8]));
        let _busy = seat(&seats, 3, &[7]);
        assert_eq!(number(take(&seats, 7, false)), Some(4));
    }

    #[test]
    fn a_stranger_settles_where_the_fewest_are_or_at_a_new_one() {
        let seats = Seats::default();
        for (number, served) in [(1, &[1, 2, 3][..]), (2, &[4]), (3, &[5, 6])] {
            seats.give_back(seat(&seats, number, served));
        }
        assert!(matches!(seats.take(&clinic(9), 0, CLASS, true, |free| free == 3), Found::None(None)));
        assert_eq!(number(take(&seats, 9, true)), Some(2));
    }

    #[test]
    fn for_one_of_another_shard_the_one_goes_that_is_missed_least() {
        let seats = Seats::default();
        for (number, served) in [(1, &[1, 2, 3][..]), (3, &[5, 6]), (2, &[4])] {
            seats.give_back(seat(&seats, number, served));
        }
        let displaced = || match seats.take(&clinic(10), 1, CLASS, true, |_| false) {
            Found::None(Some(seat)) => seat.connection,
            _ => panic!("nobody made room"),
        };
        assert_eq!(displaced(), 2);
        if let Some(long_ago) = Instant::now().checked_sub(A_WHILE * 2) {
            seats.lock().seats[0].given_back = long_ago;
            assert_eq!(displaced(), 1);
        }
        assert_eq!(displaced(), 3);
    }

    #[test]
    fn what_is_gone_knows_nobody_any_more() {
        let seats = Seats::default();
        drop(seat(&seats, 1, &[7]));
        assert!(matches!(take(&seats, 7, true), Found::None(None)));
        assert!(lock(&seats.known).is_empty());
    }
}
