//! [`TenantKey`]: the key of a tenant, which wraps the data keys of its patients.
//!
//! It is two secrets. What *wraps* has versions and can be rotated at any time. What the tenant's
//! other keys *derive* from stays the same for good, carried along under each version: blind indexes,
//! session tokens, cursors and the audit log's signatures hold through every rotation.

use std::fmt;

use data_encoding::HEXLOWER;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::VaultError;
use super::crypto::{self, Cipher, KEY_LEN, Secret};
use super::data_key::{DataKey, Version};
use super::px1::{self, Body};
use super::wrapper::{GuardedKey, KeyBinding, KeyWrapper};

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

impl WrappedKey {
    /// Takes a key as it is stored; nothing when the row can't hold one.
    pub fn stored(version: i32, bytes: Vec<u8>, commitment: &[u8]) -> Option<Self> {
        Some(Self { version: version.try_into().ok()?, bytes, commitment: commitment.try_into().ok()? })
    }
}

/// The key of a tenant in all its versions: wraps data keys and is the source of every key for
/// indexes, cursors and audit signatures.
pub struct TenantKey {
    pub(super) tenant: Uuid,
    newest: Wrap,
    older: Vec<Wrap>,
    source: Secret,
    pub(super) index: Secret,
    pub(super) cursor: Secret,
    audit: Secret,
    pub(super) tokens: Secret,
}

/// One version of what wraps.
struct Wrap {
    version: u32,
    material: Secret,
    key: Secret,
}

impl Wrap {
    fn new(version: u32, material: Secret) -> Self {
        Self { version, key: crypto::derive(material.as_ref(), b"praxis tenant wrap"), material }
    }
}

impl TenantKey {
    /// A new random key; its first version is also what the tenant's other keys derive from.
    pub fn generate(tenant: Uuid, version: u32) -> Result<Self, VaultError> {
        let material = crypto::random_key()?;
        Ok(Self::from_parts(tenant, Wrap::new(version, material.clone()), Vec::new(), material))
    }

    /// This key with a new random version, which wraps from now on.
    pub fn rotated(mut self) -> Result<Self, VaultError> {
        let version = self.newest.version.checked_add(1).ok_or(VaultError::Format("key version"))?;
        let next = Wrap::new(version, crypto::random_key()?);
        self.older.push(std::mem::replace(&mut self.newest, next));
        Ok(self)
    }

    /// Gives the newest version wrapped, ready to be stored.
    pub async fn wrapped(&self, wrapper: &dyn KeyWrapper) -> Result<GuardedKey, VaultError> {
        let Wrap { version, material, .. } = &self.newest;
        let mut plain = Zeroizing::new(Vec::with_capacity(4 + 2 * KEY_LEN));
        plain.extend_from_slice(&version.to_be_bytes());
        plain.extend_from_slice(material.as_ref());
        if *material != self.source {
            plain.extend_from_slice(self.source.as_ref());
        }
        wrapper.wrap(KeyBinding { tenant: self.tenant, version: *version }, &plain).await
    }

    /// Unwraps the stored versions of a tenant's key. All must be of one and the same key.
    pub async fn unwrap(
        tenant: Uuid,
        stored: &[GuardedKey],
        wrapper: &dyn KeyWrapper,
    ) -> Result<Self, VaultError> {
        let mut wraps = Vec::with_capacity(stored.len());
        let mut common: Option<Secret> = None;
        for key in stored {
            let binding = KeyBinding { tenant, version: key.version };
            let (wrap, source) = read(key.version, &wrapper.unwrap(binding, key).await?)?;
            if common.as_ref().is_some_and(|common| *common != source) {
                return Err(VaultError::WrongKey);
            }
            common = Some(source);
            wraps.push(wrap);
        }
        wraps.sort_unstable_by_key(|wrap| wrap.version);
        match (wraps.pop(), common) {
            (Some(newest), Some(source)) => Ok(Self::from_parts(tenant, newest, wraps, source)),
            _ => Err(VaultError::KeyUnavailable("the tenant has no key".to_owned())),
        }
    }

    fn from_parts(tenant: Uuid, newest: Wrap, older: Vec<Wrap>, source: Secret) -> Self {
        let subkey = |label: &[u8]| crypto::derive(source.as_ref(), label);
        Self {
            tenant,
            newest,
            older,
            index: subkey(b"praxis tenant index"),
            cursor: subkey(b"praxis tenant cursor"),
            audit: subkey(b"praxis tenant audit"),
            tokens: subkey(b"praxis tenant tokens"),
            source,
        }
    }

    /// The tenant.
    pub fn tenant(&self) -> Uuid {
        self.tenant
    }

    /// The newest version: data keys wrapped from now on carry it.
    pub fn version(&self) -> u32 {
        self.newest.version
    }

    /// The seed of the key that signs the tenant's audit log.
    pub fn audit_seed(&self) -> &[u8; KEY_LEN] {
        &self.audit
    }

    /// What the keys of the tenant's exports are sealed under.
    pub(super) fn export_secret(&self) -> Secret {
        crypto::derive(self.source.as_ref(), b"praxis tenant export")
    }

    /// Names each version of the key, oldest first, without revealing it, such as `5f0c9a3e7b21d486`.
    pub fn fingerprints(&self) -> Vec<(u32, String)> {
        let name = |wrap: &Wrap| {
            let digest = crypto::derive(wrap.material.as_ref(), b"praxis tenant fingerprint");
            let mut hex = HEXLOWER.encode(digest.as_ref());
            hex.truncate(16);
            (wrap.version, hex)
        };
        self.older.iter().chain(std::iter::once(&self.newest)).map(name).collect()
    }

    /// Wraps the newest version of a data key of this tenant.
    pub fn wrap_data_key(&self, key: &DataKey) -> Result<WrappedKey, VaultError> {
        if key.tenant != self.tenant {
            return Err(VaultError::WrongKey);
        }
        self.wrap_version(key.subject, &key.newest)
    }

    fn wrap_version(&self, subject: Uuid, key: &Version) -> Result<WrappedKey, VaultError> {
        let (version, commitment) = (key.number, key.commitment());
        let bytes = px1::seal(
            &Cipher::new(&self.newest.key)?,
            self.newest.version,
            crypto::random()?,
            &[b"data-key", self.tenant.as_bytes(), subject.as_bytes(), &version.to_be_bytes(), &commitment],
            Body::of(key.material.as_ref()),
        )?;
        Ok(WrappedKey { version, bytes, commitment })
    }

    /// Whether the version that wrapped a data key is at hand.
    pub fn unwraps(&self, wrapped: &WrappedKey) -> bool {
        let asked = px1::key_version(&wrapped.bytes);
        std::iter::once(&self.newest).chain(&self.older).any(|wrap| Ok(wrap.version) == asked)
    }

    /// Unwraps one version of a patient's data key, and makes sure it is the key once committed to.
    pub fn unwrap_data_key(&self, subject: Uuid, wrapped: &WrappedKey) -> Result<DataKey, VaultError> {
        self.unwrap_data_keys(subject, std::slice::from_ref(wrapped))
    }

    /// The same for all versions, as one key.
    pub fn unwrap_data_keys(&self, subject: Uuid, wrapped: &[WrappedKey]) -> Result<DataKey, VaultError> {
        let versions = wrapped.iter().map(|one| self.unwrap_version(subject, one));
        let versions = versions.collect::<Result<Vec<_>, _>>()?;
        let missing = || VaultError::KeyUnavailable("the subject has no key".to_owned());
        DataKey::of(self.tenant, subject, versions).ok_or_else(missing)
    }

    /// Wraps a data key anew with the newest version of this one; nothing when it is already.
    pub fn rewrap_data_key(
        &self,
        subject: Uuid,
        wrapped: &WrappedKey,
    ) -> Result<Option<WrappedKey>, VaultError> {
        if px1::key_version(&wrapped.bytes)? == self.version() {
            return Ok(None);
        }
        self.wrap_version(subject, &self.unwrap_version(subject, wrapped)?).map(Some)
    }

    fn unwrap_version(&self, subject: Uuid, wrapped: &WrappedKey) -> Result<Version, VaultError> {
        let WrappedKey { version, bytes, commitment: committed } = wrapped;
        let asked = px1::key_version(bytes)?;
        let wrap = std::iter::once(&self.newest).chain(&self.older).find(|wrap| wrap.version == asked);
        let wrap = wrap.ok_or(VaultError::UnknownVersion(asked))?;
        let material = px1::open(
            &Cipher::new(&wrap.key)?,
            asked,
            &[b"data-key", self.tenant.as_bytes(), subject.as_bytes(), &version.to_be_bytes(), committed],
            bytes,
        )?;
        let key = Version::new(*version, secret(&material)?)?;
        // AES-GCM alone lets one ciphertext be made that opens under two keys.
        if !crypto::same(&key.commitment(), committed) {
            return Err(VaultError::WrongKey);
        }
        Ok(key)
    }
}

/// The version and its material, then what derives: the material itself where nothing follows.
fn read(version: u32, plain: &[u8]) -> Result<(Wrap, Secret), VaultError> {
    let (found, rest) = plain.split_first_chunk().ok_or(VaultError::Format("tenant key"))?;
    if u32::from_be_bytes(*found) != version {
        return Err(VaultError::WrongKey);
    }
    let (material, source) = rest.split_at_checked(KEY_LEN).ok_or(VaultError::Format("tenant key"))?;
    let wrap = Wrap::new(version, secret(material)?);
    let source = if source.is_empty() { wrap.material.clone() } else { secret(source)? };
    Ok((wrap, source))
}

fn secret(bytes: &[u8]) -> Result<Secret, VaultError> {
    let bytes = bytes.try_into().map_err(|_| VaultError::Format("key length"))?;
    Ok(Zeroizing::new(bytes))
}

impl fmt::Debug for TenantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TenantKey({} v{})", self.tenant, self.version())
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::super::{IndexField, LocalKeyWrapper, Place, RootKey};
    use super::*;

    const TENANT: Uuid = Uuid::from_u128(1);
    const SUBJECT: Uuid = Uuid::from_u128(2);

    fn with_material(tenant: Uuid, version: u32, of: &TenantKey) -> TenantKey {
        let wrap = Wrap::new(version, of.newest.material.clone());
        TenantKey::from_parts(tenant, wrap, Vec::new(), of.source.clone())
    }

    fn root() -> LocalKeyWrapper {
        LocalKeyWrapper::new("test", &RootKey::generate().unwrap())
    }

    #[test]
    fn a_stored_key_returns_with_its_versions_and_what_derives_from_it() {
        let root = root();
        let key = TenantKey::generate(TENANT, 1).unwrap();
        let (seed, token) = (*key.audit_seed(), key.token(IndexField::Mrn, "A1"));
        let cursor = key.seal_cursor(&[1; KEY_LEN], b"garcia").unwrap();
        let mut stored = vec![block_on(key.wrapped(&root)).unwrap()];
        let data = DataKey::generate(TENANT, SUBJECT, 1).unwrap();
        let mut wrapped = vec![key.wrap_data_key(&data).unwrap()];
        let mut key = key;
        for version in 2..5 {
            key = key.rotated().unwrap();
            stored.insert(0, block_on(key.wrapped(&root)).unwrap());
            wrapped.push(key.wrap_data_key(&data).unwrap());
            let back = block_on(TenantKey::unwrap(TENANT, &stored, &root)).unwrap();
            assert_eq!((back.version(), back.audit_seed()), (version, &seed));
            assert_eq!(back.token(IndexField::Mrn, "A1"), token);
            assert_eq!(back.open_cursor(&[1; KEY_LEN], &cursor).unwrap(), b"garcia");
            for old in &wrapped {
                let opened = back.unwrap_data_key(SUBJECT, old).unwrap();
                assert_eq!(*opened.newest.material, *data.newest.material);
            }
            let last = wrapped.last().unwrap();
            assert_eq!(back.rewrap_data_key(SUBJECT, last).unwrap(), None);
            let anew = back.rewrap_data_key(SUBJECT, &wrapped[0]).unwrap().unwrap();
            assert_eq!(px1::key_version(&anew.bytes), Ok(version));
            assert_eq!(anew.commitment, wrapped[0].commitment);
        }
        // The newest alone is enough, once nothing is wrapped by the others.
        let alone = block_on(TenantKey::unwrap(TENANT, &stored[..1], &root)).unwrap();
        assert_eq!(alone.audit_seed(), &seed);
        assert_eq!(alone.unwrap_data_key(SUBJECT, &wrapped[0]).unwrap_err(), VaultError::UnknownVersion(1));
    }

    #[test]
    fn a_stored_key_is_bound_to_tenant_and_version_and_not_mixed_with_another() {
        let root = root();
        let key = TenantKey::generate(TENANT, 4).unwrap();
        let stored = block_on(key.wrapped(&root)).unwrap();
        let refused =
            |tenant, stored: &[GuardedKey]| block_on(TenantKey::unwrap(tenant, stored, &root)).unwrap_err();
        let renumbered = GuardedKey { version: 5, ..stored.clone() };
        assert_eq!(refused(TENANT, &[renumbered]), VaultError::WrongKey);
        assert_eq!(refused(SUBJECT, std::slice::from_ref(&stored)), VaultError::Tampered);
        let other = block_on(TenantKey::generate(TENANT, 5).unwrap().wrapped(&root)).unwrap();
        assert_eq!(refused(TENANT, &[stored, other]), VaultError::WrongKey);
        assert!(matches!(refused(TENANT, &[]), VaultError::KeyUnavailable(_)));
    }

    #[test]
    fn a_rotated_data_key_opens_old_values_and_seals_with_the_newest() {
        let tenant = TenantKey::generate(TENANT, 1).unwrap();
        let key = DataKey::generate(TENANT, SUBJECT, 1).unwrap();
        let place = Place { tenant: TENANT, table: "patient", row: SUBJECT, subject: SUBJECT };
        let body = |text: &[u8]| Body::of(text);
        let old = key.seal_body(&place, "contact", [1; 12], body(b"{}")).unwrap();
        let mut wrapped = vec![tenant.wrap_data_key(&key).unwrap()];
        let key = key.rotated().unwrap();
        wrapped.insert(0, tenant.wrap_data_key(&key).unwrap());
        let back = tenant.unwrap_data_keys(SUBJECT, &wrapped).unwrap();
        assert_eq!((back.version(), back.has(1), back.has(3)), (2, true, false));
        back.check(&place, "contact", &old).unwrap();
        let new = back.reseal(&place, "contact", &old).unwrap().unwrap();
        assert_eq!(px1::key_version(&new), Ok(2));
        assert_eq!(back.reseal(&place, "contact", &new).unwrap(), None);
        back.check(&place, "contact", &new).unwrap();
        assert_eq!(back.check(&place, "identity", &new), Err(VaultError::Tampered));
        let stale = tenant.unwrap_data_key(SUBJECT, &wrapped[1]).unwrap();
        assert_eq!(stale.check(&place, "contact", &new), Err(VaultError::UnknownVersion(2)));
        assert!(stale.reseal(&place, "identity", &new).is_err());
    }

    #[test]
    fn a_wrapped_key_returns_as_itself() {
        let tenant = TenantKey::generate(TENANT, 5).unwrap();
        let key = DataKey::generate(TENANT, SUBJECT, 3).unwrap();
        let wrapped = tenant.wrap_data_key(&key).unwrap();
        assert_eq!(px1::key_version(&wrapped.bytes), Ok(5));
        let back = tenant.unwrap_data_key(SUBJECT, &wrapped).unwrap();
        assert_eq!((back.version(), *back.newest.material), (3, *key.newest.material));
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
        let renamed = with_material(Uuid::from_u128(9), 1, &tenant);
        assert_eq!(refused(&renamed, SUBJECT, &wrapped), VaultError::Tampered);
        let renumbered = with_material(TENANT, 2, &tenant);
        assert_eq!(refused(&renumbered, SUBJECT, &wrapped), VaultError::UnknownVersion(1));
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
        let body = Body::of(second.newest.material.as_ref());
        let bytes = px1::seal(&Cipher::new(&tenant.newest.key).unwrap(), 1, [0; 12], &context, body).unwrap();
        let forged = WrappedKey { bytes, ..a };
        assert_eq!(tenant.unwrap_data_key(SUBJECT, &forged).unwrap_err(), VaultError::WrongKey);
    }

    #[test]
    fn subkeys_differ_and_debug_shows_none() {
        let key = TenantKey::generate(TENANT, 1).unwrap();
        let keys = [&key.source, &key.newest.key, &key.index, &key.cursor, &key.audit, &key.tokens];
        for (n, a) in keys.iter().enumerate() {
            assert!(keys[..n].iter().all(|b| a != b));
        }
        assert_eq!(format!("{key:?}"), format!("TenantKey({TENANT} v1)"));
    }
}
