//! A key that was given for an export, in a file: whoever has it needs nothing of the installation.

use std::{fs, path::Path};

use praxis_platform::vault::{RootKey, VaultError};
use zeroize::Zeroizing;

/// The key of whoever an export is for.
pub struct Holder(RootKey);

impl Holder {
    /// Reads a key of 32 bytes, written in hexadecimal or base64.
    pub fn from_file(path: &Path) -> Result<Self, VaultError> {
        let unusable = |error: std::io::Error| VaultError::KeyFile(format!("{}: {error}", path.display()));
        let text = Zeroizing::new(fs::read_to_string(path).map_err(unusable)?);
        RootKey::parse(&text).map(Self)
    }

    /// Names the key without revealing it.
    pub(super) fn fingerprint(&self) -> String {
        self.0.fingerprint()
    }

    pub(super) fn key(&self) -> &RootKey {
        &self.0
    }
}
