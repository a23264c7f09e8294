//! [`ExportKey`]: seals the export of one clinic, as a stream of any length.
//!
//! Each export has a key of its own. It is kept in the head of the export, sealed: under the clinic's key, so
//! that an export opens for as long as the clinic's key lives and no longer; or under a key that was given for
//! it, and then whoever holds that one needs nothing of the installation.
//!
//! The stream is cut into pieces. The nonce of a piece is its number and whether it is the last one, so pieces
//! that are left out, exchanged or cut off at the end do not open.

use std::fmt;

use uuid::Uuid;
use zeroize::Zeroizing;

use super::crypto::{self, Cipher, KEY_LEN, NONCE_LEN, Secret, TAG_LEN};
use super::px1::{self, Body};
use super::{LocalKeyWrapper, RootKey, TenantKey, VaultError};

/// The longest piece, before it is sealed.
pub const PIECE: usize = 64 << 10;
/// By how much sealing makes a piece longer.
pub const PIECE_GROWS: usize = TAG_LEN;

/// The key of one export.
pub struct ExportKey {
    export: Uuid,
    material: Secret,
}

impl ExportKey {
    /// A new random key.
    pub fn generate(export: Uuid) -> Result<Self, VaultError> {
        Ok(Self { export, material: crypto::random_key()? })
    }

    /// Seals it under the clinic's key: destroyed with that one, it opens nothing any more.
    pub fn sealed_for_clinic(&self, clinic: &TenantKey) -> Result<Vec<u8>, VaultError> {
        self.sealed(&clinic.export_secret(), clinic.tenant())
    }

    /// Seals it under a key that was given for it.
    pub fn sealed_for_holder(&self, key: &RootKey, tenant: Uuid) -> Result<Vec<u8>, VaultError> {
        self.sealed(&key.export_secret(), tenant)
    }

    /// Opens what was sealed for the clinic.
    pub fn open_for_clinic(export: Uuid, sealed: &[u8], clinic: &TenantKey) -> Result<Self, VaultError> {
        Self::open(export, sealed, &clinic.export_secret(), clinic.tenant())
    }

    /// Opens what was sealed for the holder of a key.
    pub fn open_for_holder(
        export: Uuid,
        sealed: &[u8],
        key: &RootKey,
        tenant: Uuid,
    ) -> Result<Self, VaultError> {
        Self::open(export, sealed, &key.export_secret(), tenant)
    }

    fn sealed(&self, under: &Secret, tenant: Uuid) -> Result<Vec<u8>, VaultError> {
        let context: [&[u8]; 3] = [b"export-key", tenant.as_bytes(), self.export.as_bytes()];
        px1::seal(&Cipher::new(under)?, 1, crypto::random()?, &context, Body::of(self.material.as_ref()))
    }

    fn open(export: Uuid, sealed: &[u8], under: &Secret, tenant: Uuid) -> Result<Self, VaultError> {
        let context: [&[u8]; 3] = [b"export-key", tenant.as_bytes(), export.as_bytes()];
        let material = px1::open(&Cipher::new(under)?, 1, &context, sealed)?;
        let material = material.as_slice().try_into().map_err(|_| VaultError::Format("export key"))?;
        Ok(Self { export, material: Zeroizing::new(material) })
    }

    /// Wraps the clinic's keys inside of the export.
    pub fn wrapper(&self) -> LocalKeyWrapper {
        let key = crypto::derive(self.material.as_ref(), b"praxis export keys");
        LocalKeyWrapper::new("export", &RootKey::of(key))
    }

    /// Seals the pieces; what stands before them in the clear can't be changed either.
    pub fn stream(&self, head: &[u8]) -> Result<Pieces, VaultError> {
        Ok(Pieces {
            cipher: Cipher::new(&crypto::derive(self.material.as_ref(), b"praxis export stream"))?,
            head: crypto::sha256(head),
            number: 0,
        })
    }
}

impl fmt::Debug for ExportKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExportKey({})", self.export)
    }
}

/// Seals or opens the pieces of a stream, one after the other.
pub struct Pieces {
    cipher: Cipher,
    head: [u8; KEY_LEN],
    number: u32,
}

impl Pieces {
    /// Seals the next piece in place, and puts its tag behind it.
    pub fn seal(&mut self, piece: &mut Vec<u8>, is_last: bool) -> Result<(), VaultError> {
        let nonce = self.next(is_last)?;
        let tag = self.cipher.seal(nonce, &self.head, piece)?;
        piece.extend_from_slice(&tag);
        Ok(())
    }

    /// Opens the next piece in place, and takes its tag away.
    pub fn open(&mut self, piece: &mut Vec<u8>, is_last: bool) -> Result<(), VaultError> {
        let nonce = self.next(is_last)?;
        let length = piece.len().checked_sub(TAG_LEN).ok_or(VaultError::Tampered)?;
        self.cipher.open(nonce, &self.head, piece)?;
        piece.truncate(length);
        Ok(())
    }

    fn next(&mut self, is_last: bool) -> Result<[u8; NONCE_LEN], VaultError> {
        let number = self.number;
        // Four thousand million pieces are 256 TiB.
        self.number = number.checked_add(1).ok_or(VaultError::Format("too long"))?;
        let mut nonce = [0; NONCE_LEN];
        let [.., a, b, c, d, last] = &mut nonce;
        [*a, *b, *c, *d] = number.to_be_bytes();
        *last = u8::from(is_last);
        Ok(nonce)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: Uuid = Uuid::from_u128(1);
    const EXPORT: Uuid = Uuid::from_u128(2);

    #[test]
    fn an_export_opens_with_the_key_it_was_sealed_for_and_no_other() {
        let [clinic, other] = [TENANT, Uuid::from_u128(9)].map(|id| TenantKey::generate(id, 1).unwrap());
        let [holder, stranger] = [(); 2].map(|()| RootKey::generate().unwrap());
        let key = ExportKey::generate(EXPORT).unwrap();
        let for_clinic = key.sealed_for_clinic(&clinic).unwrap();
        let for_holder = key.sealed_for_holder(&holder, TENANT).unwrap();
        let rotated = TenantKey::generate(TENANT, 1).unwrap();
        let back = ExportKey::open_for_clinic(EXPORT, &for_clinic, &clinic).unwrap();
        assert_eq!(*back.material, *key.material);
        assert!(ExportKey::open_for_clinic(EXPORT, &for_clinic, &other).is_err());
        assert!(ExportKey::open_for_clinic(EXPORT, &for_clinic, &rotated).is_err());
        assert!(ExportKey::open_for_clinic(TENANT, &for_clinic, &clinic).is_err());
        let back = ExportKey::open_for_holder(EXPORT, &for_holder, &holder, TENANT).unwrap();
        assert_eq!(*back.material, *key.material);
        assert!(ExportKey::open_for_holder(EXPORT, &for_holder, &stranger, TENANT).is_err());
        assert!(ExportKey::open_for_holder(EXPORT, &for_clinic, &holder, TENANT).is_err());
    }

    #[test]
    fn a_rotated_clinic_key_still_opens_it() {
        let clinic = TenantKey::generate(TENANT, 1).unwrap();
        let key = ExportKey::generate(EXPORT).unwrap();
        let sealed = key.sealed_for_clinic(&clinic).unwrap();
        let clinic = clinic.rotated().unwrap();
        assert!(ExportKey::open_for_clinic(EXPORT, &sealed, &clinic).is_ok());
    }

    #[test]
    fn pieces_open_in_their_order_only_and_the_last_one_is_known() {
        let key = ExportKey::generate(EXPORT).unwrap();
        let sealed = |number: usize, is_last: bool| {
            let mut pieces = key.stream(b"head").unwrap();
            let mut piece = Vec::new();
            for at in 0..=number {
                piece = format!("piece {at}").into_bytes();
                pieces.seal(&mut piece, is_last && at == number).unwrap();
            }
            piece
        };
        let open = |head: &[u8], all: &[(Vec<u8>, bool)]| -> Result<Vec<u8>, VaultError> {
            let mut pieces = key.stream(head).unwrap();
            let mut text = Vec::new();
            for (piece, is_last) in all {
                let mut piece = piece.clone();
                pieces.open(&mut piece, *is_last)?;
                text.extend(piece);
            }
            Ok(text)
        };
        let [a, b, end] = [sealed(0, false), sealed(1, false), sealed(2, true)];
        let whole = [(a.clone(), false), (b.clone(), false), (end.clone(), true)];
        assert_eq!(open(b"head", &whole).unwrap(), b"piece 0piece 1piece 2");
        assert!(open(b"other", &whole).is_err());
        assert!(open(b"head", &[(b.clone(), false), (a.clone(), false)]).is_err());
        assert!(open(b"head", &[(a.clone(), false), (end, true)]).is_err());
        // What was cut off can't be passed off as the end.
        assert!(open(b"head", &[(a.clone(), false), (b, true)]).is_err());
        let mut bent = a;
        bent[0] ^= 1;
        assert!(open(b"head", &[(bent, false)]).is_err());
        assert!(open(b"head", &[(vec![1; 3], false)]).is_err());
    }
}
