//! Signatures: what a tenant signs, and what others did.

use std::fmt;

use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, Ed25519KeyPair, KeyPair, RSA_PKCS1_2048_8192_SHA256,
    RsaPublicKeyComponents, UnparsedPublicKey,
};

use super::{TenantKey, VaultError, crypto};

/// A private key that signs.
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// The key of a seed.
    pub fn from_seed(seed: &[u8; crypto::KEY_LEN]) -> Result<Self, VaultError> {
        Ed25519KeyPair::from_seed_unchecked(seed).map(Self).map_err(|_| VaultError::Format("seed"))
    }

    /// The public half.
    pub fn public(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    /// The name by which the key is told from others: the beginning of the hash of its public half.
    pub fn id(&self) -> String {
        let digest = crypto::sha256(self.public());
        data_encoding::HEXLOWER.encode(digest.first_chunk::<8>().map_or(&[], |start| start.as_slice()))
    }

    /// Signs.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.0.sign(message).as_ref().to_vec()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.id())
    }
}

impl TenantKey {
    /// The key that signs the tenant's access tokens.
    pub fn token_signer(&self) -> Result<SigningKey, VaultError> {
        SigningKey::from_seed(&self.tokens)
    }
}

/// Whether the signature is the key's.
pub fn verify_ed25519(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public).verify(message, signature).is_ok()
}

/// Somebody else's public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// RSA of 2,048 bits or more, for PKCS#1 1.5 with SHA-256.
    Rsa {
        /// Modulus.
        n: Vec<u8>,
        /// Exponent.
        e: Vec<u8>,
    },
    /// A point of the curve P-256, for ECDSA with SHA-256.
    P256 {
        /// First coordinate, 32 bytes.
        x: Vec<u8>,
        /// Second coordinate, 32 bytes.
        y: Vec<u8>,
    },
    /// Ed25519.
    Ed25519(Vec<u8>),
}

impl PublicKey {
    /// Whether the signature is the key's.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Rsa { n, e } => RsaPublicKeyComponents { n, e }
                .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok(),
            Self::P256 { x, y } => {
                let point: Vec<u8> = [4].iter().chain(x).chain(y).copied().collect();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
            }
            Self::Ed25519(x) => verify_ed25519(x, message, signature),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_signature_is_of_one_key_and_one_message() {
        let keys = [1, 2].map(|tenant| TenantKey::generate(Uuid::from_u128(tenant), 1).unwrap());
        let [ours, theirs] = keys.each_ref().map(|key| key.token_signer().unwrap());
        let signature = ours.sign(b"text");
        assert!(verify_ed25519(ours.public(), b"text", &signature));
        assert!(!verify_ed25519(ours.public(), b"test", &signature));
        assert!(!verify_ed25519(theirs.public(), b"text", &signature));
        assert!(!verify_ed25519(ours.public(), b"text", &signature[1..]));
        assert_ne!(ours.id(), theirs.id());
        assert_eq!(format!("{ours:?}"), format!("SigningKey({})", ours.id()));
        assert_eq!(ours.public(), keys[0].token_signer().unwrap().public());
    }
}
