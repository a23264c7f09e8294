//! The way to the key service: few at a time, and hardly anybody while it is away.
//!
//! After a failure nobody asks for a moment; then one tries, and the pause doubles each time until it
//! answers. So neither a thousand requests wait for a service that is gone, nor do they all fall upon
//! it when it is back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::{
    clock::SharedClock,
    vault::{GuardedKey, KeyWrapper, TenantKey, VaultError},
};

/// Tenants whose keys are asked for at the same time.
const AT_ONCE: usize = 8;
/// The first pause after a failure, and the longest.
const PAUSE: (TimeDelta, TimeDelta) = (TimeDelta::milliseconds(250), TimeDelta::seconds(15));

/// The key service, and how it answered lately.
pub(super) struct Service {
    wrapper: Arc<dyn KeyWrapper>,
    clock: SharedClock,
    turns: Semaphore,
    away: Mutex<Option<Away>>,
}

/// It gave no answer.
#[derive(Clone, Copy)]
struct Away {
    pause: TimeDelta,
    try_at: DateTime<Utc>,
}

impl Service {
    pub(super) fn new(wrapper: Arc<dyn KeyWrapper>, clock: SharedClock) -> Self {
        Self { wrapper, clock, turns: Semaphore::new(AT_ONCE), away: Mutex::new(None) }
    }

    pub(super) fn wrapper(&self) -> &Arc<dyn KeyWrapper> {
        &self.wrapper
    }

    pub(super) fn answers(&self) -> bool {
        self.away().is_none()
    }

    /// Unwraps a tenant's key, unless the service was found away a moment ago.
    pub(super) async fn unwrap(&self, tenant: Uuid, stored: &[GuardedKey]) -> Result<TenantKey, VaultError> {
        let closed = |_| VaultError::KeyUnavailable("the server stops".to_owned());
        let _turn = self.turns.acquire().await.map_err(closed)?;
        self.may_ask()?;
        let key = TenantKey::unwrap(tenant, stored, self.wrapper.as_ref()).await;
        let now = self.clock.now();
        let mut away = self.away();
        match &key {
            // Only what befalls everybody: trouble with one tenant's key leaves the others theirs.
            Err(VaultError::Away(_)) => {
                // Several may have asked at once; together they are one failure.
                if away.is_none_or(|before| now >= before.try_at) {
                    let pause = away.map_or(PAUSE.0, |before| (before.pause * 2).min(PAUSE.1));
                    *away = Some(Away { pause, try_at: now + pause });
                }
            }
            // It answered, if only to refuse this tenant: whoever comes next may ask.
            Err(_) => {
                if let Some(before) = away.as_mut() {
                    before.try_at = now;
                }
            }
            Ok(_) => *away = None,
        }
        key
    }

    /// Refuses during a pause; whoever comes first after it tries, and the others go on waiting.
    fn may_ask(&self) -> Result<(), VaultError> {
        let now = self.clock.now();
        match &mut *self.away() {
            Some(away) if now < away.try_at => {
                Err(VaultError::Away("it gave no answer a moment ago".to_owned()))
            }
            Some(away) => {
                away.try_at = now + away.pause;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn away(&self) -> MutexGuard<'_, Option<Away>> {
        self.away.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use zeroize::Zeroizing;

    use super::*;
    use crate::{
        clock::SystemClock,
        vault::{KeyBinding, WrapFuture},
    };

    /// A key service that answers for one tenant as told, and for all others that it is well.
    struct Told(Uuid, VaultError);

    impl KeyWrapper for Told {
        fn wrap<'a>(&'a self, binding: KeyBinding, key: &'a [u8]) -> WrapFuture<'a, GuardedKey> {
            let key = GuardedKey { version: binding.version, bytes: key.to_vec(), wrapper: self.id() };
            Box::pin(async move { Ok(key) })
        }

        fn unwrap<'a>(
            &'a self,
            binding: KeyBinding,
            key: &'a GuardedKey,
        ) -> WrapFuture<'a, Zeroizing<Vec<u8>>> {
            let bytes = key.bytes.clone();
            Box::pin(async move {
                if binding.tenant == self.0 { Err(self.1.clone()) } else { Ok(Zeroizing::new(bytes)) }
            })
        }

        fn id(&self) -> String {
            "told".to_owned()
        }

        fn opens(&self, id: &str) -> bool {
            id == self.id()
        }

        fn is_current(&self, id: &str) -> bool {
            id == self.id()
        }
    }

    fn after(error: VaultError) -> (bool, bool) {
        let [bad, good] = [1, 2].map(Uuid::from_u128);
        let wrapper = Told(bad, error);
        let stored = |tenant| block_on(TenantKey::generate(tenant, 1).unwrap().wrapped(&wrapper)).unwrap();
        let (theirs, ours) = (stored(bad), stored(good));
        let service = Service::new(Arc::new(wrapper), Arc::new(SystemClock));
        assert!(block_on(service.unwrap(bad, &[theirs])).is_err());
        (service.answers(), block_on(service.unwrap(good, &[ours])).is_ok())
    }

    #[test]
    fn trouble_with_the_key_of_one_is_no_outage_for_others() {
        for error in [VaultError::Tampered, VaultError::KeyUnavailable("AccessDeniedException".to_owned())] {
            assert_eq!(after(error.clone()), (true, true), "{error}");
        }
        assert_eq!(after(VaultError::Away("too slow".to_owned())), (false, false));
    }

    #[test]
    fn a_refusal_of_one_after_a_pause_leaves_the_next_their_try() {
        let [bad, good] = [1, 2].map(Uuid::from_u128);
        let wrapper = Told(bad, VaultError::Tampered);
        let stored = |tenant| block_on(TenantKey::generate(tenant, 1).unwrap().wrapped(&wrapper)).unwrap();
        let (theirs, ours) = (stored(bad), stored(good));
        let service = Service::new(Arc::new(wrapper), Arc::new(SystemClock));
        *service.away() = Some(Away { pause: PAUSE.1, try_at: service.clock.now() });
        assert!(block_on(service.unwrap(bad, &[theirs])).is_err());
        assert!(block_on(service.unwrap(good, &[ours])).is_ok());
        assert!(service.answers());
    }

    #[test]
    fn a_tenant_without_a_key_is_no_outage_either() {
        let service = Service::new(Arc::new(Told(Uuid::nil(), VaultError::Tampered)), Arc::new(SystemClock));
        assert!(block_on(service.unwrap(Uuid::from_u128(3), &[])).is_err());
        assert!(service.answers());
    }
}
