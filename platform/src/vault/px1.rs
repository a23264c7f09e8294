//! The `PX1` ciphertext: one envelope for values, wrapped keys and cursors.
//!
//! ```text
//! 0       3       4             8       20
//! | "PX1" | suite | key version | nonce | ciphertext ... | tag (16) |
//! ```
//! What the ciphertext belongs to is authenticated and not stored: header and
//! length-prefixed context. The plaintext is padded, its length at its end.

use std::io;

use zeroize::Zeroizing;

use super::VaultError;
use super::crypto::{Cipher, NONCE_LEN, TAG_LEN};

const MAGIC: [u8; 3] = *b"PX1";
/// AES-256-GCM with keys derived by HKDF-SHA-256.
const SUITE: u8 = 1;
const HEADER_LEN: usize = 8;
const TEXT_START: usize = HEADER_LEN + NONCE_LEN;
const LENGTH_LEN: usize = 4;
const SMALLEST_STEP: usize = 32;
/// The longest body: far above any row, far below what AES-GCM allows.
const BODY_LIMIT: usize = 64 << 20;

/// A plaintext being written, already in the buffer its ciphertext will fill.
pub(super) struct Body(Zeroizing<Vec<u8>>);

impl Body {
    /// An empty body.
    pub(super) fn new() -> Self {
        let mut buffer = Zeroizing::new(Vec::with_capacity(512));
        buffer.resize(TEXT_START, 0);
        Self(buffer)
    }

    /// A body with this content.
    pub(super) fn of(content: &[u8]) -> Self {
        let mut body = Self::new();
        body.push(content);
        body
    }

    fn push(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    // A vector that grows by itself leaves its old memory unwiped.
    fn reserve(&mut self, more: usize) {
        let needed = self.0.len() + more;
        if needed > self.0.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.next_power_of_two()));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
    }

    fn pad(&mut self) -> Result<(), VaultError> {
        let length = self.0.len() - TEXT_START;
        if length > BODY_LIMIT {
            return Err(VaultError::Format("too long"));
        }
        let stored = u32::try_from(length).map_err(|_| VaultError::Format("too long"))?;
        let total = padded(length);
        self.reserve(total - length + TAG_LEN);
        self.0.resize(TEXT_START + total - LENGTH_LEN, 0);
        self.push(&stored.to_be_bytes());
        Ok(())
    }
}

impl io::Write for Body {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Seals a body; the nonce must never serve two bodies under one key.
pub(super) fn seal(
    cipher: &Cipher,
    key_version: u32,
    nonce: [u8; NONCE_LEN],
    context: &[&[u8]],
    mut body: Body,
) -> Result<Vec<u8>, VaultError> {
    body.pad()?;
    let header = header(key_version);
    let (start, text) = body.0.split_at_mut_checked(TEXT_START).ok_or(VaultError::Format("no header"))?;
    for (to, from) in start.iter_mut().zip(header.iter().chain(&nonce)) {
        *to = *from;
    }
    let tag = cipher.seal(nonce, &associated_data(&header, context), text)?;
    body.push(&tag);
    Ok(std::mem::take(&mut *body.0))
}

/// Opens an envelope that should be under this key version and in this context.
pub(super) fn open(
    cipher: &Cipher,
    key_version: u32,
    context: &[&[u8]],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let (found, nonce, text_and_tag) = parse(sealed)?;
    if found != key_version {
        return Err(VaultError::WrongKey);
    }
    let mut buffer = Zeroizing::new(text_and_tag.to_vec());
    let aad = associated_data(&header(key_version), context);
    cipher.open(nonce, &aad, &mut buffer)?;
    buffer.truncate(text_and_tag.len() - TAG_LEN);
    unpad(&mut buffer)?;
    Ok(buffer)
}

/// The version of the key that a ciphertext asks for.
pub fn key_version(sealed: &[u8]) -> Result<u32, VaultError> {
    parse(sealed).map(|(version, ..)| version)
}

fn parse(sealed: &[u8]) -> Result<(u32, [u8; NONCE_LEN], &[u8]), VaultError> {
    let rest = sealed.strip_prefix(&MAGIC).ok_or(VaultError::Format("not PX1"))?;
    let rest = rest.strip_prefix(&[SUITE]).ok_or(VaultError::Format("unknown suite"))?;
    let short = VaultError::Format("too short");
    let (version, rest) = rest.split_first_chunk().ok_or(short.clone())?;
    let (nonce, text_and_tag) = rest.split_first_chunk().ok_or(short.clone())?;
    if text_and_tag.len() < SMALLEST_STEP + TAG_LEN {
        return Err(short);
    }
    Ok((u32::from_be_bytes(*version), *nonce, text_and_tag))
}

fn header(key_version: u32) -> [u8; HEADER_LEN] {
    let ([m0, m1, m2], [v0, v1, v2, v3]) = (MAGIC, key_version.to_be_bytes());
    [m0, m1, m2, SUITE, v0, v1, v2, v3]
}

fn associated_data(header: &[u8; HEADER_LEN], context: &[&[u8]]) -> Vec<u8> {
    let length: usize = context.iter().map(|field| field.len() + 8).sum();
    let mut aad = Vec::with_capacity(HEADER_LEN + length);
    aad.extend_from_slice(header);
    for field in context {
        aad.extend_from_slice(&(field.len() as u64).to_be_bytes());
        aad.extend_from_slice(field);
    }
    aad
}

/// Length of the padded plaintext: four steps to each doubling, of 32 bytes at least.
fn padded(body: usize) -> usize {
    let length = body + LENGTH_LEN;
    let step = (1 << length.ilog2()) / 4;
    length.next_multiple_of(step.max(SMALLEST_STEP))
}

fn unpad(text: &mut Vec<u8>) -> Result<(), VaultError> {
    let bad = VaultError::Format("padding");
    let (rest, stored) = text.split_last_chunk().ok_or(bad.clone())?;
    let length = usize::try_from(u32::from_be_bytes(*stored)).map_err(|_| bad.clone())?;
    let padding = rest.get(length..).ok_or(bad.clone())?;
    if padded(length) != text.len() || padding.iter().any(|byte| *byte != 0) {
        return Err(bad);
    }
    text.truncate(length);
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use zeroize::Zeroizing;

    use super::*;

    fn cipher() -> Cipher {
        Cipher::new(&Zeroizing::new([7; 32])).unwrap()
    }

    fn sealed(context: &[&[u8]], content: &[u8]) -> Vec<u8> {
        seal(&cipher(), 3, [9; NONCE_LEN], context, Body::of(content)).unwrap()
    }

    #[test]
    fn the_layout_is_as_documented() {
        let bytes = sealed(&[], b"content");
        assert_eq!(bytes[..8], [0x50, 0x58, 0x31, 1, 0, 0, 0, 3]);
        assert_eq!(bytes[8..20], [9; 12]);
        assert_eq!(bytes.len(), 20 + 32 + 16);
        assert_eq!(key_version(&bytes), Ok(3));
    }

    #[test]
    fn padding_steps() {
        let lengths = [(0, 32), (28, 32), (29, 64), (252, 256), (253, 320), (508, 512), (509, 640)];
        for (body, expected) in lengths {
            assert_eq!(padded(body), expected, "body of {body}");
            assert_eq!(sealed(&[], &vec![1; body]).len(), 20 + expected + 16);
        }
        for body in 0..100_000 {
            let (length, total) = (body + 4, padded(body));
            assert!(total >= length && total - length < 32.max(length / 4 + 1), "body of {body}");
        }
    }

    #[test]
    fn only_the_canonical_padding_opens() {
        let aad = associated_data(&header(3), &[]);
        // A body of five in 32 bytes, with one byte changed, and the same in 64.
        let cases = [(32, 10, 1), (32, 31, 29), (32, 31, 255), (32, 28, 1), (64, 0, 0)];
        for (total, at, value) in cases {
            let mut text = vec![0; total];
            text[total - 1] = 5;
            text[at] = value;
            let tag = cipher().seal([9; 12], &aad, &mut text).unwrap();
            let bytes = [&header(3)[..], &[9; 12], &text, &tag].concat();
            let refused = Err(VaultError::Format("padding"));
            assert_eq!(open(&cipher(), 3, &[], &bytes), refused, "{total} {at} {value}");
        }
    }

    #[test]
    fn every_flipped_bit_and_every_truncation_is_refused() {
        let bytes = sealed(&[b"here"], b"content");
        assert_eq!(*open(&cipher(), 3, &[b"here"], &bytes).unwrap(), b"content");
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&cipher(), 3, &[b"here"], &changed).is_err(), "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert!(open(&cipher(), 3, &[b"here"], &bytes[..length]).is_err(), "length {length}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(open(&cipher(), 3, &[b"here"], &longer), Err(VaultError::Tampered));
    }

    #[test]
    fn the_context_is_a_list_and_not_its_concatenation() {
        let bytes = sealed(&[b"ab", b"c"], b"content");
        let others: [&[&[u8]]; 5] = [&[b"a", b"bc"], &[b"abc"], &[b"ab", b"c", b""], &[b"c", b"ab"], &[]];
        for other in others {
            assert_eq!(open(&cipher(), 3, other, &bytes), Err(VaultError::Tampered));
        }
    }

    #[test]
    fn another_key_version_is_the_wrong_key() {
        let bytes = sealed(&[], b"content");
        assert_eq!(open(&cipher(), 4, &[], &bytes), Err(VaultError::WrongKey));
        let mut relabelled = bytes;
        relabelled[7] = 4;
        assert_eq!(open(&cipher(), 4, &[], &relabelled), Err(VaultError::Tampered));
    }

    #[test]
    fn a_body_grows_and_has_a_limit() {
        let long = vec![5; 100_000];
        assert_eq!(*open(&cipher(), 3, &[], &sealed(&[], &long)).unwrap(), long);
        let body = Body::of(&vec![0; BODY_LIMIT + 1]);
        assert_eq!(seal(&cipher(), 3, [0; 12], &[], body), Err(VaultError::Format("too long")));
    }

    proptest! {
        #[test]
        fn what_was_sealed_opens(content: Vec<u8>, context: Vec<Vec<u8>>) {
            let context: Vec<&[u8]> = context.iter().map(Vec::as_slice).collect();
            prop_assert_eq!(&*open(&cipher(), 3, &context, &sealed(&context, &content)).unwrap(), &content);
        }

        #[test]
        fn any_bytes_are_refused_without_a_panic(mut bytes: Vec<u8>, genuine: bool) {
            if genuine {
                bytes.splice(0..0, header(3));
            }
            prop_assert!(open(&cipher(), 3, &[], &bytes).is_err());
        }
    }
}
