//! [`DataKey`]: the key of one patient, which seals and opens values.
//!
//! Deleting a patient's wrapped data key makes every value under it
//! unreadable, backups included.

use std::fmt;

use praxis_entity::value::{PhiClass, Sealed};
use uuid::Uuid;

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

/// The key that seals the data of one patient, or of a tenant's staff.
pub struct DataKey {
    pub(super) tenant: Uuid,
    pub(super) subject: Uuid,
    version: u32,
    pub(super) material: Secret,
    cipher: Cipher,
}

impl DataKey {
    /// A new random key.
    pub fn generate(tenant: Uuid, subject: Uuid, version: u32) -> Result<Self, VaultError> {
        Self::from_material(tenant, subject, version, crypto::random_key()?)
    }

    pub(super) fn from_material(
        tenant: Uuid,
        subject: Uuid,
        version: u32,
        material: Secret,
    ) -> Result<Self, VaultError> {
        let cipher = Cipher::new(&crypto::derive(material.as_ref(), b"praxis data value"))?;
        Ok(Self { tenant, subject, version, material, cipher })
    }

    /// The version that ciphertexts of this key carry.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Tells this key from any other without revealing it.
    pub(super) fn commitment(&self) -> [u8; KEY_LEN] {
        *crypto::derive(self.material.as_ref(), b"praxis data commitment")
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
        self.check(place)?;
        let context = context(place, T::CLASS);
        let json = px1::open(&self.cipher, self.version, &context, sealed.as_bytes())?;
        serde_json::from_slice(&json).map_err(|_| VaultError::Format("value"))
    }

    pub(super) fn seal_body(
        &self,
        place: &Place,
        class: &str,
        nonce: [u8; crypto::NONCE_LEN],
        body: Body,
    ) -> Result<Vec<u8>, VaultError> {
        self.check(place)?;
        px1::seal(&self.cipher, self.version, nonce, &context(place, class), body)
    }

    // A value under another patient's key would outlive its own patient's erasure.
    fn check(&self, place: &Place) -> Result<(), VaultError> {
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
        write!(f, "DataKey({} v{})", self.subject, self.version)
    }
}
