//! Batches: what siblings ask for in the same moment is fetched at once.
//!
//! The first to ask opens a batch; those who ask before it runs join it. A batch is a shared future:
//! whoever waits drives it, so a waiter that is cancelled leaves the others unharmed, and nothing
//! waits for a timer. See `docs/decisions/0004-dataloader.md`.

use std::{
    collections::HashMap,
    hash::Hash,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared},
};

use crate::error::{ApiError, Code};

type Answer<K, V> = Result<Arc<HashMap<K, V>>, ApiError>;
type Fetch<K, V> = Arc<dyn Fn(Vec<K>) -> BoxFuture<'static, Result<HashMap<K, V>, ApiError>> + Send + Sync>;

/// Loads values by key, in batches, each key once.
pub(crate) struct Loader<K, V> {
    fetch: Fetch<K, V>,
    state: Arc<Mutex<State<K, V>>>,
}

struct State<K, V> {
    /// Keys of the batch that has not run yet.
    waiting: Vec<K>,
    /// The batch that has not run yet.
    open: Option<Shared<BoxFuture<'static, Answer<K, V>>>>,
    /// What each key led to: the batch it was in.
    asked: HashMap<K, Shared<BoxFuture<'static, Answer<K, V>>>>,
}

impl<K, V> Loader<K, V>
where
    K: Copy + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// A loader over a function that fetches many keys at once.
    pub(crate) fn new<F, R>(fetch: F) -> Self
    where
        F: Fn(Vec<K>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<HashMap<K, V>, ApiError>> + Send + 'static,
    {
        Self {
            fetch: Arc::new(move |keys| fetch(keys).boxed()),
            state: Arc::new(Mutex::new(State { waiting: Vec::new(), open: None, asked: HashMap::new() })),
        }
    }

    /// The value of a key, if there is one.
    pub(crate) async fn load(&self, key: K) -> Result<Option<V>, ApiError> {
        let batch = self.join(key);
        Ok(batch.await?.get(&key).cloned())
    }

    /// The values of several keys, in their order, absent ones left out.
    pub(crate) async fn load_many(&self, keys: &[K]) -> Result<Vec<V>, ApiError> {
        let batches: Vec<_> = keys.iter().map(|&key| (key, self.join(key))).collect();
        let mut values = Vec::with_capacity(keys.len());
        for (key, batch) in batches {
            values.extend(batch.await?.get(&key).cloned());
        }
        Ok(values)
    }

    /// Has the values of several keys at hand: nobody who loads one of them afterwards waits.
    pub(crate) async fn bring(&self, keys: impl Iterator<Item = K>) -> Result<(), ApiError> {
        let batches: Vec<_> = keys.map(|key| self.join(key)).collect();
        for batch in batches {
            batch.await?;
        }
        Ok(())
    }

    fn join(&self, key: K) -> Shared<BoxFuture<'static, Answer<K, V>>> {
        let mut state = lock(&self.state);
        if let Some(batch) = state.asked.get(&key) {
            return batch.clone();
        }
        state.waiting.push(key);
        let batch = state.open.get_or_insert_with(|| self.batch()).clone();
        state.asked.insert(key, batch.clone());
        batch
    }

    fn batch(&self) -> Shared<BoxFuture<'static, Answer<K, V>>> {
        // Weak: the state holds this future, and one that nobody waits for any more must not hold the state.
        let (state, fetch) = (Arc::downgrade(&self.state), Arc::clone(&self.fetch));
        async move {
            let gone = || ApiError::new(Code::Internal, "a batch outlived its request");
            // Siblings are polled in the same turn of the request's task, or in the next when there
            // are many: the batch is whole once a turn brought no new key.
            let mut seen = 0;
            loop {
                let waiting = {
                    let state = state.upgrade().ok_or_else(gone)?;
                    lock(&state).waiting.len()
                };
                if waiting == seen {
                    break;
                }
                seen = waiting;
                Turn::default().await;
            }
            let keys = {
                let state = state.upgrade().ok_or_else(gone)?;
                let mut state = lock(&state);
                state.open = None;
                std::mem::take(&mut state.waiting)
            };
            // On its own: a fetch that has begun ends by itself, though all who waited for it went away,
            // and gives the connection back.
            tokio::spawn(fetch(keys)).await.map_err(ApiError::internal)?.map(Arc::new)
        }
        .boxed()
        .shared()
    }
}

/// The end of this turn of the request's task. Over only once the task was woken for it: asked again in the same
/// turn, by another waiter of the same batch, it goes on, while `yield_now` would be over and the batch cut short.
#[derive(Default)]
struct Turn(Option<Arc<Woken>>);

struct Woken {
    woken: AtomicBool,
    task: Waker,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.task.wake_by_ref();
    }
}

impl Future for Turn {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(woken) = &self.0 {
            return if woken.woken.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending };
        }
        let woken = Arc::new(Woken { woken: AtomicBool::new(false), task: cx.waker().clone() });
        // The runtime takes the waker and uses it when the turn is over.
        let waker = Waker::from(Arc::clone(&woken));
        let _ = pin!(tokio::task::yield_now()).poll(&mut Context::from_waker(&waker));
        self.0 = Some(woken);
        Poll::Pending
    }
}

fn lock<K, V>(state: &Mutex<State<K, V>>) -> MutexGuard<'_, State<K, V>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Loaders that differ by their arguments: one for each distinct set of arguments in a request.
pub(crate) struct Loaders<K, V>(Mutex<HashMap<String, Arc<Loader<K, V>>>>);

impl<K, V> Default for Loaders<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K, V> Loaders<K, V> {
    /// The loader for these arguments; `make` is called the first time they are seen.
    pub(crate) fn with(&self, arguments: String, make: impl FnOnce() -> Loader<K, V>) -> Arc<Loader<K, V>> {
        let mut loaders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(loaders.entry(arguments).or_insert_with(|| Arc::new(make())))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use futures::future::join_all;

    use super::*;

    fn counting() -> (Arc<AtomicUsize>, Arc<Loader<u32, u32>>) {
        let runs = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&runs);
        let loader = Loader::new(move |keys: Vec<u32>| {
            counter.fetch_add(1, Ordering::SeqCst);
            async move {
                tokio::task::yield_now().await;
                Ok(keys.into_iter().filter(|key| key % 7 != 0).map(|key| (key, key * 2)).collect())
            }
        });
        (runs, Arc::new(loader))
    }

    #[tokio::test]
    async fn siblings_share_one_batch_and_a_key_is_fetched_once() {
        let (runs, loader) = counting();
        let values = join_all((0..500).map(|key| loader.load(key % 250))).await;
        assert_eq!(runs.load(Ordering::SeqCst), 1);
        assert!(values.into_iter().enumerate().all(|(place, value)| {
            let key = u32::try_from(place).unwrap() % 250;
            value.unwrap() == (key % 7 != 0).then_some(key * 2)
        }));
        assert_eq!(loader.load(3).await.unwrap(), Some(6));
        assert_eq!(runs.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn two_that_ask_for_the_same_do_not_cut_the_batch_short() {
        let (runs, loader) = counting();
        let twice = (1..40).flat_map(|key| [key, key]);
        join_all(twice.map(|key| loader.load(key))).await;
        assert_eq!(runs.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_cancelled_sibling_leaves_the_others_unharmed() {
        for cancelled_after in 0..6 {
            let (runs, loader) = counting();
            let first = {
                let loader = Arc::clone(&loader);
                tokio::spawn(async move { loader.load(1).await })
            };
            // The one that opened the batch, and drives it so far, goes away part of the way through.
            for _ in 0..cancelled_after {
                tokio::task::yield_now().await;
            }
            let others = join_all((2..20).map(|key| loader.load(key)));
            first.abort();
            let values = others.await;
            assert!(values.into_iter().all(|value| value.is_ok()));
            assert!(runs.load(Ordering::SeqCst) <= 2, "after {cancelled_after} turns");
        }
    }

    #[tokio::test]
    async fn a_batch_that_all_have_left_holds_nothing() {
        for turns in 0..6 {
            let held = Arc::new(());
            let watched = Arc::downgrade(&held);
            let loader = Loader::new(move |keys: Vec<u32>| {
                let held = Arc::clone(&held);
                async move {
                    tokio::task::yield_now().await;
                    drop(held);
                    Ok(keys.into_iter().map(|key| (key, key)).collect())
                }
            });
            let loader = Arc::new(loader);
            let waiter = {
                let loader = Arc::clone(&loader);
                tokio::spawn(async move { loader.load(1).await })
            };
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
            waiter.abort();
            let _ = waiter.await;
            drop(loader);
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            assert!(watched.upgrade().is_none(), "after {turns} turns");
        }
    }
}
