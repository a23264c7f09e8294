//! Whose turn it is to get a connection: clinics take turns, and none may hold them all.
//!
//! A queue in order of arrival belongs to whoever sends most. Here each clinic has a queue of its own and the
//! connection that comes free goes to the next clinic, so a quiet one waits for one turn however much a noisy one asks.
//! And a clinic holds three quarters of the connections at the most, where there are several, so that its slow statements
//! leave room.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use super::SchemaName;

/// A number of turns that can be had at the same time.
#[derive(Clone)]
pub(super) struct Turns(Arc<Mutex<State>>);

struct State {
    free: usize,
    /// Most that one clinic holds.
    share: usize,
    clinics: HashMap<SchemaName, Clinic>,
    /// Clinics that somebody waits for, each once, whose turn is next in front.
    order: VecDeque<SchemaName>,
}

#[derive(Default)]
struct Clinic {
    held: usize,
    waiting: VecDeque<oneshot::Sender<Turn>>,
}

/// A turn, given back when it is dropped.
pub(super) struct Turn {
    turns: Option<Turns>,
    clinic: SchemaName,
}

impl Turns {
    /// So many turns.
    pub(super) fn new(count: usize) -> Self {
        let share = count.saturating_sub((count / 4).max(1)).max(1);
        Self(Arc::new(Mutex::new(State {
            free: count,
            share,
            clinics: HashMap::new(),
            order: VecDeque::new(),
        })))
    }

    /// A turn for a clinic, at once or when it is the clinic's, behind so many others of it at the most. Whoever stops
    /// waiting gives up the place.
    pub(super) async fn take(&self, clinic: &SchemaName, behind: usize) -> Turn {
        let (sender, receiver) = oneshot::channel();
        {
            let mut state = self.state();
            let place = state.clinics.entry(clinic.clone()).or_default();
            place.waiting.insert(behind.min(place.waiting.len()), sender);
            if place.waiting.len() == 1 {
                state.order.push_back(clinic.clone());
            }
            self.hand_out(&mut state);
        }
        match receiver.await {
            Ok(turn) => turn,
            // The other end is kept until a turn is sent, as long as there is anybody to wait.
            Err(_) => Turn { turns: None, clinic: clinic.clone() },
        }
    }

    /// Whether somebody of a clinic waits.
    pub(super) fn is_awaited(&self, clinic: &SchemaName) -> bool {
        let state = self.state();
        state.clinics.get(clinic).is_some_and(|clinic| clinic.waiting.iter().any(|one| !one.is_closed()))
    }

    /// How many are free.
    pub(super) fn free(&self) -> usize {
        self.state().free
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whole at every point where something could panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives what is free to those whose turn it is.
    fn hand_out(&self, state: &mut State) {
        let mut passed_over = 0;
        while state.free > 0 && passed_over < state.order.len() {
            let Some(name) = state.order.pop_front() else { break };
            let Some(clinic) = state.clinics.get_mut(&name) else { continue };
            if clinic.held >= state.share {
                state.order.push_back(name);
                passed_over += 1;
                continue;
            }
            let Some(waiting) = clinic.waiting.pop_front() else { continue };
            let turn = Turn { turns: Some(self.clone()), clinic: name.clone() };
            match waiting.send(turn) {
                Ok(()) => {
                    clinic.held += 1;
                    state.free -= 1;
                    passed_over = 0;
                }
                // Nobody waits there any more, so it is not held either.
                Err(mut turn) => turn.turns = None,
            }
            if clinic.waiting.is_empty() {
                state.forget_idle(&name);
            } else {
                state.order.push_back(name);
            }
        }
    }

    fn give_back(&self, name: &SchemaName) {
        let mut state = self.state();
        state.free += 1;
        if let Some(clinic) = state.clinics.get_mut(name) {
            clinic.held = clinic.held.saturating_sub(1);
        }
        state.forget_idle(name);
        self.hand_out(&mut state);
    }
}

impl State {
    fn forget_idle(&mut self, name: &SchemaName) {
        if self.clinics.get(name).is_some_and(|clinic| clinic.held == 0 && clinic.waiting.is_empty()) {
            self.clinics.remove(name);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(turns) = self.turns.take() {
            turns.give_back(&self.clinic);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::FutureExt;
    use praxis_entity::ids::TenantId;
    use uuid::Uuid;

    use super::*;

    const LAST: usize = usize::MAX;

    fn clinic(number: u128) -> SchemaName {
        SchemaName::of(TenantId(Uuid::from_u128(number)))
    }

    #[tokio::test]
    async fn a_quiet_clinic_waits_for_one_turn_however_much_a_noisy_one_asks() {
        let turns = Turns::new(1);
        let (noisy, quiet) = (clinic(1), clinic(2));
        let first = turns.take(&noisy, LAST).await;
        let mut queue: Vec<_> = (0..100).map(|_| Box::pin(turns.take(&noisy, LAST))).collect();
        for waiting in &mut queue {
            assert!(waiting.as_mut().now_or_never().is_none());
        }
        let mut asked = Box::pin(turns.take(&quiet, LAST));
        assert!(asked.as_mut().now_or_never().is_none());
        drop(first);
        // One of the noisy ones was there first; then it is the quiet one's turn.
        let mut queue = queue.into_iter();
        drop(queue.next().map(|waiting| waiting.now_or_never().unwrap()));
        let turn = asked.now_or_never().unwrap();
        assert!(queue.next().map(FutureExt::now_or_never).unwrap().is_none());
        drop(turn);
        assert!(queue.next().map(FutureExt::now_or_never).unwrap().is_some());
    }

    #[tokio::test]
    async fn who_waits_behind_one_at_the_most_is_served_before_those_who_came_later() {
        let turns = Turns::new(1);
        let here = clinic(1);
        let held = turns.take(&here, LAST).await;
        assert!(!turns.is_awaited(&here));
        let mut queue: Vec<_> = [LAST, LAST, 1].map(|behind| Box::pin(turns.take(&here, behind))).into();
        for waiting in &mut queue {
            assert!(waiting.as_mut().now_or_never().is_none());
        }
        assert!(turns.is_awaited(&here));
        drop(held);
        let first = queue.remove(0).now_or_never().unwrap();
        assert!(queue[0].as_mut().now_or_never().is_none() && queue[1].as_mut().now_or_never().is_none());
        drop(first);
        assert!(queue[0].as_mut().now_or_never().is_none());
        drop(queue.remove(1).now_or_never().unwrap());
        drop(queue.remove(0).now_or_never().unwrap());
        assert!(!turns.is_awaited(&here));
    }

    #[tokio::test]
    async fn no_clinic_holds_all() {
        let turns = Turns::new(8);
        let loud = clinic(1);
        let noisy: Vec<_> = (0..6).map(|_| turns.take(&loud, LAST).now_or_never().unwrap()).collect();
        let mut seventh = Box::pin(turns.take(&loud, LAST));
        assert!(seventh.as_mut().now_or_never().is_none());
        let other = turns.take(&clinic(2), LAST).now_or_never().unwrap();
        assert_eq!(turns.free(), 1);
        drop(noisy);
        drop(seventh.now_or_never().unwrap());
        drop(other);
        assert_eq!(turns.free(), 8);
        assert!(turns.state().clinics.is_empty() && turns.state().order.is_empty());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn whoever_stops_waiting_takes_no_turn_along() {
        let turns = Turns::new(4);
        let work = (0..200_u64).map(|number| {
            let turns = turns.clone();
            tokio::spawn(async move {
                for round in 0..50_u64 {
                    let patience = Duration::from_micros((number * 7 + round * 13) % 90);
                    let turn =
                        tokio::time::timeout(patience, turns.take(&clinic(u128::from(number % 5)), LAST))
                            .await;
                    tokio::task::yield_now().await;
                    drop(turn);
                }
            })
        });
        futures::future::join_all(work).await;
        assert_eq!(turns.free(), 4);
        // Nobody is left behind who gave up.
        let turn = turns.take(&clinic(9), LAST).await;
        drop(turn);
        let waiting: usize = turns.state().clinics.values().map(|clinic| clinic.waiting.len()).sum();
        assert_eq!(waiting, 0);
    }
}
