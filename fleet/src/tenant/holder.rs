//! A key that was given for an export, in a file: whoever has it needs nothing of the installation.

use std::{fs, path::Path};

use praxis_platform::vault::RootKey;
use zeroize::Zeroizing;

use super::LifeError;

/// The key of whoever an export is for.
pub struct Holder(RootKey);

impl Holder {
    /// Reads a key of 32 bytes, written in hexadecimal or base64.
    pub fn from_file(path: &Path) -> Result<Self, LifeError> {
        let unusable = |why: String| LifeError::Refused(format!("key file {}: {why}", path.display()));
        let text = Zeroizing::new(fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?);
        let key = RootKey::parse(&text);
        key.map(Self).map_err(|_| unusable("not 32 bytes in hexadecimal or base64".to_owned()))
    }

    /// Names the key without revealing it.
    pub(super) fn fingerprint(&self) -> String {
        self.0.fingerprint()
    }

    pub(super) fn key(&self) -> &RootKey {
        &self.0
    }
}
