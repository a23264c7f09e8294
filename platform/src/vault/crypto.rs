//! The only file that calls the cryptographic library.
//!
//! AES-256-GCM, HKDF and HMAC with SHA-256, signatures, and randomness, behind functions
//! small enough that changing the library is a change of this file.

use std::cell::RefCell;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use ring::{digest, hmac, signature};
use zeroize::{Zeroize, Zeroizing};

use super::VaultError;

/// Length of keys, digests and authentication codes.
pub const KEY_LEN: usize = 32;
/// Length of a nonce of AES-GCM.
pub(super) const NONCE_LEN: usize = 12;
/// Length of a tag of AES-GCM.
pub(super) const TAG_LEN: usize = 16;

/// A symmetric key, wiped when dropped.
pub(super) type Secret = Zeroizing<[u8; KEY_LEN]>;

/// An AES-256-GCM key made ready for use.
///
/// The library keeps the expanded key and does not wipe it; hold few of them.
pub(super) struct Cipher(LessSafeKey);

impl Cipher {
    /// Expands a key.
    pub(super) fn new(key: &Secret) -> Result<Self, VaultError> {
        let key =
            UnboundKey::new(&AES_256_GCM, key.as_ref()).map_err(|_| VaultError::Format("key length"))?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// Encrypts in place and returns the tag.
    pub(super) fn seal(
        &self,
        nonce: [u8; NONCE_LEN],
        aad: &[u8],
        text: &mut [u8],
    ) -> Result<[u8; TAG_LEN], VaultError> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self
            .0
            .seal_in_place_separate_tag(nonce, Aad::from(aad), text)
            .map_err(|_| VaultError::Format("too long"))?;
        let mut out = [0; TAG_LEN];
        out.copy_from_slice(tag.as_ref());
        Ok(out)
    }

    /// Decrypts ciphertext and tag in place; the plaintext lies at the start.
    pub(super) fn open(
        &self,
        nonce: [u8; NONCE_LEN],
        aad: &[u8],
        text_and_tag: &mut [u8],
    ) -> Result<(), VaultError> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.0.open_in_place(nonce, Aad::from(aad), text_and_tag).map_err(|_| VaultError::Tampered)?;
        Ok(())
    }
}

/// HMAC-SHA-256 of the concatenated parts.
pub fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; KEY_LEN] {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    for part in parts {
        context.update(part);
    }
    let mut out = [0; KEY_LEN];
    out.copy_from_slice(context.sign().as_ref());
    out
}

/// HKDF-SHA-256 without salt, one block: the key for the given purpose.
///
/// Spelt out with HMAC, because one block can't fail and the library's can.
pub(super) fn derive(secret: &[u8], info: &[u8]) -> Secret {
    let extracted = Zeroizing::new(mac(&[0; KEY_LEN], &[secret]));
    Zeroizing::new(mac(extracted.as_ref(), &[info, &[1]]))
}

/// SHA-256.
pub fn sha256(data: &[u8]) -> [u8; KEY_LEN] {
    let mut out = [0; KEY_LEN];
    out.copy_from_slice(digest::digest(&digest::SHA256, data).as_ref());
    out
}

/// SHA-256 of what comes in parts.
pub struct Digest(digest::Context);

impl Digest {
    /// Of nothing yet.
    pub fn new() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }

    /// Takes the next part.
    pub fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    /// The digest of all parts.
    pub fn finish(self) -> [u8; KEY_LEN] {
        let mut out = [0; KEY_LEN];
        out.copy_from_slice(self.0.finish().as_ref());
        out
    }
}

impl Default for Digest {
    fn default() -> Self {
        Self::new()
    }
}

/// HMAC-SHA-1, for the codes of authenticator apps only: RFC 6238 as all of them do it.
pub fn mac_sha1(key: &[u8], message: &[u8]) -> [u8; 20] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key), message);
    let mut out = [0; 20];
    out.copy_from_slice(tag.as_ref());
    out
}

/// Somebody else's public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// ECDSA on P-256 with SHA-256: the uncompressed point.
    Es256([u8; 65]),
    /// Ed25519.
    EdDsa([u8; 32]),
    /// RSA PKCS#1 v1.5 with SHA-256: modulus and exponent, big-endian without leading zeros.
    Rs256 {
        /// Modulus, 2048 to 8192 bits.
        n: Vec<u8>,
        /// Exponent.
        e: Vec<u8>,
    },
}

impl PublicKey {
    /// Whether the key's owner signed the message. ECDSA signatures are in DER.
    pub fn verifies(&self, message: &[u8], signed: &[u8]) -> bool {
        let plain = |algorithm: &'static dyn signature::VerificationAlgorithm, key: &[u8]| {
            signature::UnparsedPublicKey::new(algorithm, key).verify(message, signed)
        };
        match self {
            Self::Es256(point) => plain(&signature::ECDSA_P256_SHA256_ASN1, point),
            Self::EdDsa(key) => plain(&signature::ED25519, key),
            Self::Rs256 { n, e } => signature::RsaPublicKeyComponents { n, e }.verify(
                &signature::RSA_PKCS1_2048_8192_SHA256,
                message,
                signed,
            ),
        }
        .is_ok()
    }
}

/// Compares without telling by the time taken where the difference is.
pub fn same(a: &[u8; KEY_LEN], b: &[u8; KEY_LEN]) -> bool {
    a.iter().zip(b).fold(0, |seen, (x, y)| std::hint::black_box(seen | (x ^ y))) == 0
}

/// Length of an Ed25519 signature.
pub const SIGNATURE_LEN: usize = 64;

/// An Ed25519 key that signs.
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// The key of a seed.
    pub fn from_seed(seed: &[u8; KEY_LEN]) -> Result<Self, VaultError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| VaultError::Format("seed"))?;
        Ok(Self(pair))
    }

    /// What verifies its signatures.
    pub fn public(&self) -> [u8; KEY_LEN] {
        let mut out = [0; KEY_LEN];
        out.copy_from_slice(self.0.public_key().as_ref());
        out
    }

    /// Signs.
    pub fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_LEN] {
        let mut out = [0; SIGNATURE_LEN];
        out.copy_from_slice(self.0.sign(message).as_ref());
        out
    }
}

/// Whether an Ed25519 signature is good.
pub fn verifies(public: &[u8; KEY_LEN], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public).verify(message, signature).is_ok()
}

/// A new key, straight from the system.
pub(super) fn random_key() -> Result<Secret, VaultError> {
    let mut key = Secret::default();
    system_random(key.as_mut())?;
    Ok(key)
}

/// Random bytes from a block drawn ahead: one system call serves many nonces.
pub fn random<const N: usize>() -> Result<[u8; N], VaultError> {
    let mut out = [0; N];
    POOL.with_borrow_mut(|pool| pool.fill(&mut out))?;
    Ok(out)
}

/// The system's randomness, for signatures that need some.
#[expect(clippy::disallowed_methods, reason = "keys and nonces must never repeat, in no test either")]
pub(crate) fn randomness() -> SystemRandom {
    SystemRandom::new()
}

fn system_random(out: &mut [u8]) -> Result<(), VaultError> {
    randomness().fill(out).map_err(|_| VaultError::KeyUnavailable("no system randomness".to_owned()))
}

const BLOCK: usize = 768;

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool { block: [0; BLOCK], used: BLOCK }) };
}

/// Randomness drawn ahead by one thread; what was handed out is wiped.
struct Pool {
    block: [u8; BLOCK],
    used: usize,
}

impl Pool {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), VaultError> {
        if self.used.saturating_add(out.len()) > BLOCK {
            system_random(&mut self.block)?;
            self.used = 0;
        }
        let end = self.used + out.len();
        // Asked for more than a block holds: then there is nothing to keep.
        let Some(fresh) = self.block.get_mut(self.used..end) else {
            return system_random(out);
        };
        out.copy_from_slice(fresh);
        fresh.zeroize();
        self.used = end;
        Ok(())
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.block.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use ring::hkdf;

    use super::*;

    #[test]
    fn derive_is_hkdf() {
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]);
        let prk = salt.extract(b"secret");
        let mut expected = [0; KEY_LEN];
        prk.expand(&[b"purpose"], hkdf::HKDF_SHA256).unwrap().fill(&mut expected).unwrap();
        assert_eq!(*derive(b"secret", b"purpose"), expected);
        assert_ne!(*derive(b"secret", b"other"), expected);
    }

    #[test]
    fn random_bytes_do_not_repeat_and_leave_the_pool() {
        let seen: HashSet<[u8; NONCE_LEN]> = (0..10_000).map(|_| random().unwrap()).collect();
        assert_eq!(seen.len(), 10_000);
        let taken = random::<24>().unwrap();
        POOL.with_borrow(|pool| {
            assert!(pool.block[..pool.used].iter().all(|byte| *byte == 0));
            assert!(!pool.block.windows(24).any(|window| window == taken));
        });
        assert_ne!(random::<2000>().unwrap()[1000..], [0; 1000]);
    }

    #[test]
    fn threads_draw_apart() {
        let draw = || std::thread::spawn(|| random::<32>().unwrap()).join().unwrap();
        assert_ne!(draw(), draw());
    }

    #[test]
    fn signing_is_ed25519() {
        // RFC 8032, 7.1, test 1.
        let seed = data_encoding::HEXLOWER
            .decode(b"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
            .unwrap();
        let key = SigningKey::from_seed(&seed.try_into().unwrap()).unwrap();
        let expected = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        assert_eq!(data_encoding::HEXLOWER.encode(&key.public()), expected);
        let signature = key.sign(b"");
        assert!(data_encoding::HEXLOWER.encode(&signature).starts_with("e5564300c360ac729086e2cc806e828a"));
        assert!(verifies(&key.public(), b"", &signature));
        assert!(!verifies(&key.public(), b"x", &signature));
        assert!(!verifies(&key.public(), b"", &signature[1..]));
    }

    #[test]
    fn comparison_sees_every_bit() {
        let a = sha256(b"a");
        assert!(same(&a, &sha256(b"a")));
        for bit in 0..256 {
            let mut b = a;
            b[bit / 8] ^= 1 << (bit % 8);
            assert!(!same(&a, &b), "bit {bit}");
        }
    }
}
