//! [`DataKey`]: the key of one patient, which seals and opens values.
//!
//! It holds every version that is in use: values are sealed with the newest and
//! open with the one that they name. Deleting a patient's wrapped data keys makes
//! every value under them unreadable, backups included.

use std::fmt;

use praxis_entity::value::{PhiClass, Sealed};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::VaultError;
use super::crypto::{self, Cipher, KEY_LEN, Secret};
use super::px1::{self, Body};

/// Where a sealed value lives; it opens nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The tenant.
    pub tenant: Uuid,
    /// The table.
    pub table: &'static str,
    /// The id of the row.
    pub row: Uuid,
    /// Whose data it is: the patient, or the tenant itself for staff data.
    pub subject: Uuid,
}

/// The key that seals the data of one patient, or of a tenant's staff, in all its versions.
pub struct DataKey {
    pub(super) tenant: Uuid,
    pub(super) subject: Uuid,
    pub(super) newest: Version,
    /// No room for more than there are: as a rule none, and keys are kept at hand by the ten thousand.
    older: Box<[Version]>,
}

/// One version of a data key.
pub(super) struct Version {
    pub(super) number: u32,
    pub(super) material: Secret,
    cipher: Cipher,
}

impl Version {
    pub(super) fn new(number: u32, material: Secret) -> Result<Self, VaultError> {
        let cipher = Cipher::new(&crypto::derive(material.as_ref(), b"praxis data value"))?;
        Ok(Self { number, material, cipher })
    }

    /// Tells this key from any other without revealing it.
    pub(super) fn commitment(&self) -> [u8; KEY_LEN] {
        *crypto::derive(self.material.as_ref(), b"praxis data commitment")
    }
}

impl DataKey {
    /// A new random key.
    pub fn generate(tenant: Uuid, subject: Uuid, version: u32) -> Result<Self, VaultError> {
        let newest = Version::new(version, crypto::random_key()?)?;
        Ok(Self { tenant, subject, newest, older: Box::default() })
    }

    /// This key with a new random version, which seals from now on.
    pub fn rotated(self) -> Result<Self, VaultError> {
        let number = self.newest.number.checked_add(1).ok_or(VaultError::Format("key version"))?;
        let newest = Version::new(number, crypto::random_key()?)?;
        let mut older = self.older.into_vec();
        older.push(self.newest);
        Ok(Self { newest, older: older.into(), ..self })
    }

    /// The key of a subject from its versions, in any order; nothing when there is none.
    pub(super) fn of(tenant: Uuid, subject: Uuid, mut versions: Vec<Version>) -> Option<Self> {
        versions.sort_unstable_by_key(|version| version.number);
        let newest = versions.pop()?;
        Some(Self { tenant, subject, newest, older: versions.into() })
    }

    /// The newest version: ciphertexts made from now on carry it.
    pub fn version(&self) -> u32 {
        self.newest.number
    }

    /// Whether a version is at hand.
    pub fn has(&self, version: u32) -> bool {
        self.find(version).is_some()
    }

    fn find(&self, version: u32) -> Option<&Version> {
        std::iter::once(&self.newest).chain(&self.older).find(|one| one.number == version)
    }

    /// Seals a value for one place.
    pub fn seal<T: PhiClass>(&self, place: &Place, value: &T) -> Result<Sealed<T>, VaultError> {
        let mut body = Body::new();
        // The parser's own message could quote the value.
        serde_json::to_writer(&mut body, value).map_err(|_| VaultError::Format("value"))?;
        self.seal_body(place, T::CLASS, crypto::random()?, body).map(Sealed::from_bytes)
    }

    /// Opens a value that was sealed for this place.
    pub fn open<T: PhiClass>(&self, place: &Place, sealed: &Sealed<T>) -> Result<T, VaultError> {
        let json = self.open_body(place, T::CLASS, sealed.as_bytes())?;
        serde_json::from_slice(&json).map_err(|_| VaultError::Format("value"))
    }

    /// Makes sure that a value opens at this place.
    pub fn check(&self, place: &Place, class: &str, sealed: &[u8]) -> Result<(), VaultError> {
        self.open_body(place, class, sealed).map(|_| ())
    }

    /// Seals a value anew with the newest version; nothing when it is under that one already.
    ///
    /// What is sealed stays the same to the byte; nobody reads it.
    pub fn reseal(&self, place: &Place, class: &str, sealed: &[u8]) -> Result<Option<Vec<u8>>, VaultError> {
        if px1::key_version(sealed)? == self.version() {
            return Ok(None);
        }
        let body = Body::of(&self.open_body(place, class, sealed)?);
        self.seal_body(place, class, crypto::random()?, body).map(Some)
    }

    fn open_body(&self, place: &Place, class: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        self.is_ours(place)?;
        let asked = px1::key_version(sealed)?;
        let version = self.find(asked).ok_or(VaultError::UnknownVersion(asked))?;
        px1::open(&version.cipher, asked, &context(place, class), sealed)
    }

    pub(super) fn seal_body(
        &self,
        place: &Place,
        class: &str,
        nonce: [u8; crypto::NONCE_LEN],
        body: Body,
    ) -> Result<Vec<u8>, VaultError> {
        self.is_ours(place)?;
        px1::seal(&self.newest.cipher, self.newest.number, nonce, &context(place, class), body)
    }

    // A value under another patient's key would outlive its own patient's erasure.
    fn is_ours(&self, place: &Place) -> Result<(), VaultError> {
        let ours = place.tenant == self.tenant && place.subject == self.subject;
        ours.then_some(()).ok_or(VaultError::WrongKey)
    }
}

fn context<'a>(place: &'a Place, class: &'a str) -> [&'a [u8]; 6] {
    [
        b"value",
        place.tenant.as_bytes(),
        place.table.as_bytes(),
        class.as_bytes(),
        place.row.as_bytes(),
        place.subject.as_bytes(),
    ]
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataKey({} v{})", self.subject, self.version())
    }
}
