//! [`TenantKey`]: the key of a tenant, which wraps the data keys of its patients.

use std::fmt;

use uuid::Uuid;
use zeroize::Zeroizing;

use super::VaultError;
use super::crypto::{self, Cipher, KEY_LEN, Secret};
use super::data_key::DataKey;
use super::px1::{self, Body};
use super::wrapper::KeyWrapper;

/// A data key as it is stored, wrapped by the tenant's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    /// The version of the data key, which its ciphertexts carry.
    pub version: u32,
    /// The wrapped key; its own header carries the version of the tenant key.
    pub bytes: Vec<u8>,
    /// Tells this key from any other without revealing it.
    pub commitment: [u8; KEY_LEN],
}

/// The key of a tenant: wraps data keys and is the source of every key for
/// indexes, cursors and audit signatures.
pub struct TenantKey {
    pub(super) tenant: Uuid,
    version: u32,
    material: Secret,
    wrap: Secret,
    pub(super) index: Secret,
    pub(super) cursor: Secret,
    audit: Secret,
    pub(super) tokens: Secret,
}

impl TenantKey {
    /// A new random key.
    pub fn generate(tenant: Uuid, version: u32) -> Result<Self, VaultError> {
        Ok(Self::from_material(tenant, version, crypto::random_key()?))
    }

    /// Gives the key wrapped, ready to be stored.
    pub async fn wrapped(&self, wrapper: &dyn KeyWrapper) -> Result<Vec<u8>, VaultError> {
        let mut plain = Zeroizing::new(Vec::with_capacity(4 + KEY_LEN));
        plain.extend_from_slice(&self.version.to_be_bytes());
        plain.extend_from_slice(self.material.as_ref());
        wrapper.wrap(self.tenant, &plain).await
    }

    /// Unwraps the stored key of a tenant.
    pub async fn unwrap(
        tenant: Uuid,
        version: u32,
        wrapped: &[u8],
        wrapper: &dyn KeyWrapper,
    ) -> Result<Self, VaultError> {
        let plain = wrapper.unwrap(tenant, wrapped).await?;
        let (found, material) = plain.split_first_chunk().ok_or(VaultError::Format("tenant key"))?;
        if u32::from_be_bytes(*found) != version {
            return Err(VaultError::WrongKey);
        }
        Ok(Self::from_material(tenant, version, secret(material)?))
    }

    fn from_material(tenant: Uuid, version: u32, material: Secret) -> Self {
        let subkey = |label: &[u8]| crypto::derive(material.as_ref(), label);
        Self {
            tenant,
            version,
            wrap: subkey(b"praxis tenant wrap"),
            index: subkey(b"praxis tenant index"),
            cursor: subkey(b"praxis tenant cursor"),
            audit: subkey(b"praxis tenant audit"),
            tokens: subkey(b"praxis tenant tokens"),
            material,
        }
    }

    /// The tenant.
    pub fn tenant(&self) -> Uuid {
        self.tenant
    }

    /// The version of this key.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The seed of the key that signs the tenant's audit log.
    pub fn audit_seed(&self) -> &[u8; KEY_LEN] {
        &self.audit
    }

    /// Wraps a data key of this tenant.
    pub fn wrap_data_key(&self, key: &DataKey) -> Result<WrappedKey, VaultError> {
        if key.tenant != self.tenant {
            return Err(VaultError::WrongKey);
        }
        let (version, commitment) = (key.version(), key.commitment());
        let bytes = px1::seal(
            &Cipher::new(&self.wrap)?,
            self.version,
            crypto::random()?,
            &[
                b"data-key",
                self.tenant.as_bytes(),
                key.subject.as_bytes(),
                &version.to_be_bytes(),
                &commitment,
            ],
            Body::of(key.material.as_ref()),
        )?;
        Ok(WrappedKey { version, bytes, commitment })
    }

    /// Unwraps the data key of a patient, and makes sure it is the key once committed to.
    pub fn unwrap_data_key(&self, subject: Uuid, wrapped: &WrappedKey) -> Result<DataKey, VaultError> {
        let WrappedKey { version, bytes, commitment: committed } = wrapped;
        let material = px1::open(
            &Cipher::new(&self.wrap)?,
            self.version,
            &[b"data-key", self.tenant.as_bytes(), subject.as_bytes(), &version.to_be_bytes(), committed],
            bytes,
        )?;
        let key = DataKey::from_material(self.tenant, subject, *version, secret(&material)?)?;
        // AES-GCM alone lets one ciphertext be made that opens under two keys.
        if !crypto::same(&key.commitment(), committed) {
            return Err(VaultError::WrongKey);
        }
        Ok(key)
    }
}

fn secret(bytes: &[u8]) -> Result<Secret, VaultError> {
    let bytes = bytes.try_into().map_err(|_| VaultError::Format("key length"))?;
    Ok(Zeroizing::new(bytes))
}

impl fmt::Debug for TenantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TenantKey({} v{})", self.tenant, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: Uuid = Uuid::from_u128(1);
    const SUBJECT: Uuid = Uuid::from_u128(2);

    #[test]
    fn a_wrapped_key_returns_as_itself() {
        let tenant = TenantKey::generate(TENANT, 5).unwrap();
        let key = DataKey::generate(TENANT, SUBJECT, 3).unwrap();
        let wrapped = tenant.wrap_data_key(&key).unwrap();
        assert_eq!(px1::key_version(&wrapped.bytes), Ok(5));
        let back = tenant.unwrap_data_key(SUBJECT, &wrapped).unwrap();
        assert_eq!((back.version(), *back.material), (3, *key.material));
        assert_ne!(tenant.wrap_data_key(&key).unwrap().bytes, wrapped.bytes);
    }

    #[test]
    fn a_wrapped_key_is_bound_to_tenant_subject_and_version() {
        let tenant = TenantKey::generate(TENANT, 1).unwrap();
        let key = DataKey::generate(TENANT, SUBJECT, 1).unwrap();
        let wrapped = tenant.wrap_data_key(&key).unwrap();
        let refused = |tenant: &TenantKey, subject, wrapped: &WrappedKey| {
            tenant.unwrap_data_key(subject, wrapped).unwrap_err()
        };
        assert_eq!(refused(&tenant, Uuid::from_u128(3), &wrapped), VaultError::Tampered);
        let renumbered = WrappedKey { version: 2, ..wrapped.clone() };
        assert_eq!(refused(&tenant, SUBJECT, &renumbered), VaultError::Tampered);
        let renamed = TenantKey::from_material(Uuid::from_u128(9), 1, tenant.material.clone());
        assert_eq!(refused(&renamed, SUBJECT, &wrapped), VaultError::Tampered);
        let rotated = TenantKey::from_material(TENANT, 2, tenant.material.clone());
        assert_eq!(refused(&rotated, SUBJECT, &wrapped), VaultError::WrongKey);
        let other = TenantKey::generate(TENANT, 1).unwrap();
        assert_eq!(refused(&other, SUBJECT, &wrapped), VaultError::Tampered);
        assert_eq!(renamed.wrap_data_key(&key), Err(VaultError::WrongKey));
    }

    #[test]
    fn two_keys_for_one_commitment_are_refused() {
        let tenant = TenantKey::generate(TENANT, 1).unwrap();
        let [first, second] = [1, 1].map(|v| DataKey::generate(TENANT, SUBJECT, v).unwrap());
        let [a, b] = [&first, &second].map(|key| tenant.wrap_data_key(key).unwrap());
        assert_ne!(a.commitment, b.commitment);
        let exchanged = WrappedKey { bytes: b.bytes, ..a.clone() };
        assert_eq!(tenant.unwrap_data_key(SUBJECT, &exchanged).unwrap_err(), VaultError::Tampered);

        // Someone who holds the wrapping key can authenticate a false commitment.
        let context: [&[u8]; 5] =
            [b"data-key", TENANT.as_bytes(), SUBJECT.as_bytes(), &1_u32.to_be_bytes(), &a.commitment];
        let body = Body::of(second.material.as_ref());
        let bytes = px1::seal(&Cipher::new(&tenant.wrap).unwrap(), 1, [0; 12], &context, body).unwrap();
        let forged = WrappedKey { bytes, ..a };
        assert_eq!(tenant.unwrap_data_key(SUBJECT, &forged).unwrap_err(), VaultError::WrongKey);
    }

    #[test]
    fn subkeys_differ_and_debug_shows_none() {
        let key = TenantKey::generate(TENANT, 1).unwrap();
        let keys = [&key.material, &key.wrap, &key.index, &key.cursor, &key.audit, &key.tokens];
        for (n, a) in keys.iter().enumerate() {
            assert!(keys[..n].iter().all(|b| a != b));
        }
        assert_eq!(format!("{key:?}"), format!("TenantKey({TENANT} v1)"));
    }
}
