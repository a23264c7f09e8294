//! [`KeyWrapper`]: what guards the keys of tenants, and [`KeyWrappers`], several of them during a move.
//!
//! A key is stored beside the name of what wrapped it, so that keys wrapped by an older root key, or
//! by another key service, open for as long as that one is at hand.

use std::pin::Pin;
use std::sync::Arc;

use uuid::Uuid;
use zeroize::Zeroizing;

use super::VaultError;

/// The answer of a key service, when it comes.
pub type WrapFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, VaultError>> + Send + 'a>>;

/// Which key is wrapped; it unwraps under no other name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyBinding {
    /// The tenant, or nil for the installation's own key.
    pub tenant: Uuid,
    /// The version of the key.
    pub version: u32,
}

/// A key as the control schema holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardedKey {
    /// The version of the key.
    pub version: u32,
    /// The wrapped key.
    pub bytes: Vec<u8>,
    /// Names what wrapped it.
    pub wrapper: String,
}

/// Wraps keys under a key that never leaves it.
pub trait KeyWrapper: Send + Sync {
    /// Encrypts a key.
    fn wrap<'a>(&'a self, binding: KeyBinding, key: &'a [u8]) -> WrapFuture<'a, GuardedKey>;

    /// Decrypts what [`wrap`](Self::wrap) gave for the same binding.
    fn unwrap<'a>(&'a self, binding: KeyBinding, key: &'a GuardedKey) -> WrapFuture<'a, Zeroizing<Vec<u8>>>;

    /// Names the wrapping key, such as `file:5f0c9a3e7b21d486`.
    fn id(&self) -> String;

    /// Whether it can unwrap what the wrapper of this name wrapped.
    fn opens(&self, id: &str) -> bool;

    /// Whether this is the name under which it wraps now.
    fn is_current(&self, id: &str) -> bool;
}

/// The wrapper of an installation, and those that it is moving away from.
pub struct KeyWrappers {
    current: Arc<dyn KeyWrapper>,
    former: Vec<Arc<dyn KeyWrapper>>,
}

impl KeyWrappers {
    /// Wraps with the first; the others only unwrap.
    pub fn new(current: Arc<dyn KeyWrapper>, former: Vec<Arc<dyn KeyWrapper>>) -> Self {
        Self { current, former }
    }
}

impl KeyWrapper for KeyWrappers {
    fn wrap<'a>(&'a self, binding: KeyBinding, key: &'a [u8]) -> WrapFuture<'a, GuardedKey> {
        self.current.wrap(binding, key)
    }

    fn unwrap<'a>(&'a self, binding: KeyBinding, key: &'a GuardedKey) -> WrapFuture<'a, Zeroizing<Vec<u8>>> {
        let all = std::iter::once(&self.current).chain(&self.former);
        match all.into_iter().find(|wrapper| wrapper.opens(&key.wrapper)) {
            Some(wrapper) => wrapper.unwrap(binding, key),
            None => Box::pin(async { Err(VaultError::KeyUnavailable(not_configured(&key.wrapper))) }),
        }
    }

    fn id(&self) -> String {
        self.current.id()
    }

    fn opens(&self, id: &str) -> bool {
        self.current.opens(id) || self.former.iter().any(|wrapper| wrapper.opens(id))
    }

    fn is_current(&self, id: &str) -> bool {
        self.current.is_current(id)
    }
}

/// What is to be said of a key whose wrapper nobody here knows.
pub(super) fn not_configured(wrapper: &str) -> String {
    format!("it was wrapped by {wrapper}, which is not configured here")
}
