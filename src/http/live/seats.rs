//! How many connections that go on one actor may have.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use praxis_entity::ids::TenantId;
use uuid::Uuid;

/// Connections of one person or program to one server.
const EACH: usize = 16;
/// Connections of all together.
const ALL: usize = 4_096;

type Who = (TenantId, Uuid);

/// The seats that are taken.
#[derive(Debug, Default)]
pub(super) struct Seats(Mutex<HashMap<Who, usize>>);

/// A seat, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Arc<Seats>,
    who: Who,
}

impl Seats {
    /// A seat for an actor, if there is one.
    pub(super) fn take(self: &Arc<Self>, who: Who) -> Option<Seat> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.values().sum::<usize>() >= ALL {
            return None;
        }
        let own = taken.entry(who).or_default();
        if *own >= EACH {
            return None;
        }
        *own += 1;
        ::metrics::gauge!("praxis_live_connections").increment(1);
        Some(Seat { seats: Arc::clone(self), who })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = taken.get_mut(&self.who) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.who);
            }
        }
        ::metrics::gauge!("praxis_live_connections").decrement(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_some_seats_and_gets_them_back() {
        let seats: Arc<Seats> = Arc::default();
        let (ann, ben) = ((TenantId(Uuid::nil()), Uuid::nil()), (TenantId(Uuid::nil()), Uuid::max()));
        let taken: Vec<_> = (0..EACH).map(|_| seats.take(ann).unwrap()).collect();
        assert!(seats.take(ann).is_none());
        assert!(seats.take(ben).is_some());
        drop(taken);
        assert!(seats.take(ann).is_some());
        assert!(seats.0.lock().unwrap().is_empty());
    }
}
