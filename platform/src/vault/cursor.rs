//! Pagination cursors: sealed, because a sort key may be a name.
//!
//! A cursor opens only for the tenant and the filter it was made for. The same
//! payload always gives the same cursor, so a repeated page is a cache hit, and
//! no number of pages wears out the nonces. Its keys outlive the rotation of the
//! tenant key, and so does it.

use data_encoding::BASE64URL_NOPAD;

use super::VaultError;
use super::crypto::{self, Cipher, KEY_LEN, NONCE_LEN, Secret};
use super::key::TenantKey;
use super::px1::{self, Body};

/// The version in a cursor's head: what it is sealed with does not change with the tenant key.
const VERSION: u32 = 1;

impl TenantKey {
    /// Makes a cursor of a position in a filtered and sorted list.
    pub fn seal_cursor(&self, filter_hash: &[u8; KEY_LEN], payload: &[u8]) -> Result<String, VaultError> {
        let digest = crypto::mac(self.cursor_key(filter_hash, b"nonce").as_ref(), &[payload]);
        let nonce = digest.first_chunk::<NONCE_LEN>().ok_or(VaultError::Format("nonce"))?;
        let cipher = Cipher::new(&self.cursor_key(filter_hash, b"seal"))?;
        let context = self.context(filter_hash);
        let sealed = px1::seal(&cipher, VERSION, *nonce, &context, Body::of(payload))?;
        Ok(BASE64URL_NOPAD.encode(&sealed))
    }

    /// Reads the position back; a cursor of another tenant or filter is refused.
    pub fn open_cursor(&self, filter_hash: &[u8; KEY_LEN], cursor: &str) -> Result<Vec<u8>, VaultError> {
        let sealed = BASE64URL_NOPAD.decode(cursor.as_bytes()).map_err(|_| VaultError::Format("cursor"))?;
        let cipher = Cipher::new(&self.cursor_key(filter_hash, b"seal"))?;
        let opened = px1::open(&cipher, VERSION, &self.context(filter_hash), &sealed)?;
        Ok(opened.to_vec())
    }

    fn cursor_key(&self, filter_hash: &[u8; KEY_LEN], purpose: &[u8]) -> Secret {
        let key = crypto::derive(self.cursor.as_ref(), filter_hash);
        crypto::derive(key.as_ref(), purpose)
    }

    fn context<'a>(&'a self, filter_hash: &'a [u8; KEY_LEN]) -> [&'a [u8]; 3] {
        [b"cursor", self.tenant.as_bytes(), filter_hash]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const FILTER: [u8; KEY_LEN] = [1; KEY_LEN];

    fn key() -> TenantKey {
        TenantKey::generate(Uuid::from_u128(1), 1).unwrap()
    }

    #[test]
    fn a_cursor_is_stable_and_opaque() {
        let key = key();
        let cursor = key.seal_cursor(&FILTER, b"garcia").unwrap();
        assert_eq!(cursor, key.seal_cursor(&FILTER, b"garcia").unwrap());
        assert_eq!(cursor.len(), key.seal_cursor(&FILTER, b"li").unwrap().len());
        // Nothing but the header is shared, not even the nonce.
        assert_ne!(cursor[11..27], key.seal_cursor(&FILTER, b"li").unwrap()[11..27]);
        assert_ne!(cursor[11..27], key.seal_cursor(&[2; KEY_LEN], b"garcia").unwrap()[11..27]);
    }

    #[test]
    fn other_filters_tenants_and_characters_are_refused() {
        let key = key();
        let cursor = key.seal_cursor(&FILTER, b"garcia").unwrap();
        assert_eq!(key.open_cursor(&[2; KEY_LEN], &cursor), Err(VaultError::Tampered));
        assert_eq!(self::key().open_cursor(&FILTER, &cursor), Err(VaultError::Tampered));
        for at in 0..cursor.len() {
            let mut changed = cursor.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(key.open_cursor(&FILTER, &changed).is_err(), "character {at}");
            assert!(key.open_cursor(&FILTER, &cursor[..at]).is_err(), "length {at}");
        }
    }

    proptest! {
        #[test]
        fn what_was_sealed_opens(payload: Vec<u8>, filter: [u8; KEY_LEN]) {
            let key = key();
            let cursor = key.seal_cursor(&filter, &payload).unwrap();
            prop_assert_eq!(key.open_cursor(&filter, &cursor).unwrap(), payload);
        }

        #[test]
        fn any_text_is_refused_without_a_panic(text: String) {
            prop_assert!(key().open_cursor(&FILTER, &text).is_err());
        }
    }
}
