//! Slows down whoever guesses passwords.
//!
//! Failures are counted per account and per address, for five minutes from the first one, in a
//! bounded memory. Successes are never counted, so a clinic that starts its day is not hindered.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use moka::sync::Cache;
use praxis_entity::ids::TenantId;

const WINDOW: Duration = Duration::from_secs(5 * 60);
const PER_ACCOUNT: u32 = 10;
const PER_ADDRESS: u32 = 50;
/// An attacker with many addresses and names cannot take more memory than this many counters.
const COUNTERS: u64 = 100_000;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Counted {
    Account(TenantId, String),
    Address(IpAddr),
}

struct Failures {
    count: AtomicU32,
    since: Instant,
}

/// Counts failed sign-ins.
pub struct Throttle {
    failures: Cache<Counted, Arc<Failures>>,
}

impl Default for Throttle {
    fn default() -> Self {
        Self { failures: Cache::builder().max_capacity(COUNTERS).time_to_live(WINDOW).build() }
    }
}

/// Somebody who signs in.
#[derive(Debug, Clone)]
pub struct Attempt {
    account: Counted,
    address: Option<Counted>,
}

impl Attempt {
    /// An attempt to sign in to an account, from an address if it is known.
    pub fn new(tenant: TenantId, email: &str, address: Option<IpAddr>) -> Self {
        let address = address.map(|address| Counted::Address(whole_network(address)));
        Self { account: Counted::Account(tenant, email.trim().to_lowercase()), address }
    }

    fn counted(&self) -> impl Iterator<Item = (&Counted, u32)> {
        let address = self.address.as_ref().map(|address| (address, PER_ADDRESS));
        [(&self.account, PER_ACCOUNT)].into_iter().chain(address)
    }
}

/// One customer of a provider has a whole /64 of IPv6 addresses.
fn whole_network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

impl Throttle {
    /// How long to wait, if there were too many failures.
    ///
    /// Asked before a password is checked, and again after: guesses sent at once are counted as
    /// they fail, and the answers to those beyond the limit stay untold.
    pub fn wait(&self, attempt: &Attempt) -> Option<Duration> {
        attempt
            .counted()
            .filter_map(|(counted, limit)| {
                let failures = self.failures.get(counted)?;
                let reached = failures.count.load(Ordering::Relaxed) >= limit;
                reached.then(|| WINDOW.saturating_sub(failures.since.elapsed()).max(Duration::from_secs(1)))
            })
            .max()
    }

    /// Counts a failure.
    pub fn failed(&self, attempt: &Attempt) {
        for (counted, _) in attempt.counted() {
            let new = || Arc::new(Failures { count: AtomicU32::new(0), since: Instant::now() });
            self.failures.get_with_by_ref(counted, new).count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Forgives the account. Not the address: who owns one account could guess at others for ever.
    pub fn succeeded(&self, attempt: &Attempt) {
        self.failures.invalidate(&attempt.account);
    }
}

#[cfg(test)]
mod tests {
    use praxis_entity::ids::TypedId;
    use uuid::Uuid;

    use super::*;

    fn attempt(tenant: u128, email: &str, address: &str) -> Attempt {
        Attempt::new(TenantId::from_uuid(Uuid::from_u128(tenant)), email, Some(address.parse().unwrap()))
    }

    #[test]
    fn an_account_is_closed_after_ten_failures_and_no_other() {
        let throttle = Throttle::default();
        for n in 0..10 {
            assert_eq!(throttle.wait(&attempt(1, "ann@x", "10.0.0.1")), None, "{n}");
            throttle.failed(&attempt(1, "Ann@X ", "10.0.0.1"));
        }
        let wait = throttle.wait(&attempt(1, "ann@x", "10.0.0.2")).unwrap();
        assert!(wait <= WINDOW && wait > WINDOW / 2);
        assert_eq!(throttle.wait(&attempt(1, "bob@x", "10.0.0.1")), None);
        assert_eq!(throttle.wait(&attempt(2, "ann@x", "10.0.0.1")), None);
    }

    #[test]
    fn an_address_is_closed_after_fifty_failures_at_any_accounts() {
        let throttle = Throttle::default();
        for n in 0..50 {
            throttle.failed(&attempt(1, &n.to_string(), "2001:db8::1"));
        }
        assert!(throttle.wait(&attempt(1, "new", "2001:db8::2")).is_some());
        assert_eq!(throttle.wait(&attempt(1, "new", "2001:db8:0:1::1")), None);
        // One success does not open it again.
        throttle.succeeded(&attempt(1, "own", "2001:db8::1"));
        assert!(throttle.wait(&attempt(1, "new", "2001:db8::1")).is_some());
    }

    #[test]
    fn a_success_forgives_the_account() {
        let throttle = Throttle::default();
        for _ in 0..9 {
            throttle.failed(&attempt(1, "ann@x", "10.0.0.1"));
        }
        throttle.succeeded(&attempt(1, "ann@x", "10.0.0.1"));
        throttle.failed(&attempt(1, "ann@x", "10.0.0.1"));
        assert_eq!(throttle.wait(&attempt(1, "ann@x", "10.0.0.1")), None);
    }
}
