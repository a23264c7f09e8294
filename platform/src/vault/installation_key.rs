//! [`InstallationKey`]: what the installation itself derives from, whichever root key guards it.
//!
//! Passwords of database roles come from it. They must stay as they are when the root key changes,
//! and must be the same for every process of an installation without being stored.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::VaultError;
use super::crypto::{self, Secret, SigningKey};
use super::wrapper::{GuardedKey, KeyBinding, KeyWrapper};

/// What it is wrapped as: of no tenant.
pub(crate) const BINDING: KeyBinding = KeyBinding { tenant: Uuid::nil(), version: 1 };

/// The key of an installation.
pub struct InstallationKey {
    material: Secret,
    login: Secret,
}

impl InstallationKey {
    /// A new random key.
    pub fn generate() -> Result<Self, VaultError> {
        crypto::random_key().map(Self::from_material)
    }

    /// Gives the key wrapped, ready to be stored.
    pub async fn wrapped(&self, wrapper: &dyn KeyWrapper) -> Result<GuardedKey, VaultError> {
        wrapper.wrap(BINDING, self.material.as_ref()).await
    }

    /// Unwraps the stored key.
    pub async fn unwrap(bytes: Vec<u8>, by: String, wrapper: &dyn KeyWrapper) -> Result<Self, VaultError> {
        let stored = GuardedKey { version: BINDING.version, bytes, wrapper: by };
        let plain = wrapper.unwrap(BINDING, &stored).await?;
        let material = plain.as_slice().try_into().map_err(|_| VaultError::Format("installation key"))?;
        Ok(Self::from_material(Zeroizing::new(material)))
    }

    fn from_material(material: Secret) -> Self {
        Self { login: crypto::derive(material.as_ref(), b"praxis installation login"), material }
    }

    /// A secret of 43 characters, always the same for the same label and name.
    ///
    /// It is for passwords that two processes must agree on without storing them.
    pub fn derive_secret(&self, label: &str, name: &str) -> Zeroizing<String> {
        let key = crypto::derive(self.login.as_ref(), label.as_bytes());
        let secret = Zeroizing::new(crypto::mac(key.as_ref(), &[name.as_bytes()]));
        Zeroizing::new(BASE64URL_NOPAD.encode(secret.as_ref()))
    }

    /// Signs what the installation certifies, such as that a clinic's keys are destroyed.
    pub fn signer(&self) -> Result<SigningKey, VaultError> {
        SigningKey::from_seed(&crypto::derive(self.material.as_ref(), b"praxis installation certificate"))
    }
}

impl fmt::Debug for InstallationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InstallationKey")
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::super::{LocalKeyWrapper, RootKey};
    use super::*;

    #[test]
    fn derived_secrets_are_stable_and_apart() {
        let key = InstallationKey::generate().unwrap();
        let secret = key.derive_secret("login-role", "app");
        assert_eq!(key.derive_secret("login-role", "app"), secret);
        assert_ne!(key.derive_secret("login-role", "owner"), secret);
        assert_ne!(key.derive_secret("other", "app"), secret);
        assert_ne!(InstallationKey::generate().unwrap().derive_secret("login-role", "app"), secret);
        assert_eq!(secret.len(), 43);
        assert!(secret.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_'));
    }

    #[test]
    fn it_stays_itself_under_another_root_key() {
        let [old, new] = [(); 2].map(|()| LocalKeyWrapper::new("test", &RootKey::generate().unwrap()));
        let key = InstallationKey::generate().unwrap();
        let unwrap = |stored: GuardedKey, wrapper: &LocalKeyWrapper| {
            block_on(InstallationKey::unwrap(stored.bytes, stored.wrapper, wrapper))
        };
        let first = block_on(key.wrapped(&old)).unwrap();
        let moved = block_on(unwrap(first.clone(), &old).unwrap().wrapped(&new)).unwrap();
        let back = unwrap(moved, &new).unwrap();
        assert_eq!(back.derive_secret("login-role", "app"), key.derive_secret("login-role", "app"));
        assert!(unwrap(first, &new).is_err());
    }
}
