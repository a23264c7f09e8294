//! The vault: keys, the `PX1` ciphertext, blind indexes, cursors and name search.
//!
//! Pure code: no database, no clock, no runtime. A [`KeyWrapper`] guards the
//! [`TenantKey`]s, a tenant key guards the [`DataKey`] of each patient, and a
//! data key seals the values. `docs/px1.md` gives the formats bit for bit.

mod blind_index;
pub mod crypto;
mod cursor;
mod data_key;
mod export_key;
mod fold;
pub(crate) mod installation_key;
mod key;
mod name_index;
mod px1;
mod root_file;
mod root_key;
mod scram;
mod signature;
#[cfg(test)]
mod tests;
mod wrapper;

pub use blind_index::IndexField;
pub use data_key::{DataKey, Place};
pub use export_key::{ExportKey, PIECE, PIECE_GROWS, Pieces};
pub use installation_key::InstallationKey;
pub use key::{TenantKey, WrappedKey};
pub use name_index::NameIndex;
pub use px1::key_version;
pub use root_key::{LocalKeyWrapper, RootKey, RootKeyFile};
pub use scram::scram_verifier;
pub use signature::{PublicKey, SigningKey, verify_ed25519};
pub use wrapper::{GuardedKey, KeyBinding, KeyWrapper, KeyWrappers, WrapFuture};

/// Why the vault refused; never says anything about the content or the keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The key is another one than the ciphertext asks for.
    #[error("the key does not belong to this ciphertext")]
    WrongKey,
    /// The ciphertext asks for a version of the key that is not among those at hand.
    #[error("version {0} of the key is not at hand")]
    UnknownVersion(u32),
    /// The ciphertext was changed, or moved to another place.
    #[error("the ciphertext was changed or moved")]
    Tampered,
    /// The bytes are not in the form they should have.
    #[error("malformed: {0}")]
    Format(&'static str),
    /// The key can't be had: the key service refuses, what wrapped it is not configured, or there is none.
    #[error("key unavailable: {0}")]
    KeyUnavailable(String),
    /// The key service gives no answer, to nobody.
    #[error("key service away: {0}")]
    Away(String),
    /// The file or variable with the root key can't be used.
    #[error("root key: {0}")]
    KeyFile(String),
}
