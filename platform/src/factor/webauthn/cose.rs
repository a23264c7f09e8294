//! Public keys in COSE form (RFC 9053): the three kinds that are asked for, and no others.

use ciborium::Value;

use super::authenticator_data::{cbor, distinct};
use crate::vault::crypto::PublicKey;

const KTY: i64 = 1;
const ALG: i64 = 3;
const OKP: i64 = 1;
const EC2: i64 = 2;
const RSA: i64 = 3;
const P256: i64 = 1;
const ED25519: i64 = 6;

/// The algorithms that are asked for, most wanted first.
pub(super) const ALGORITHMS: [i64; 3] = [ES256, EDDSA, RS256];
const ES256: i64 = -7;
const EDDSA: i64 = -8;
const RS256: i64 = -257;

/// Why a key was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefused {
    /// Not a COSE key, or with parameters that contradict its kind.
    #[error("malformed key")]
    Malformed,
    /// Of a kind that was not asked for.
    #[error("unknown algorithm")]
    Algorithm,
}

/// A public key with its stored form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoseKey {
    pub(super) key: PublicKey,
    pub(super) algorithm: i64,
}

impl CoseKey {
    /// Reads a key; every parameter of it has to be known, well-formed and there once.
    pub fn parse(mut bytes: &[u8]) -> Result<Self, KeyRefused> {
        let value = cbor(&mut bytes).filter(|_| bytes.is_empty()).ok_or(KeyRefused::Malformed)?;
        let map = value.into_map().ok().and_then(distinct).ok_or(KeyRefused::Malformed)?;
        let number =
            |label: i64| find(&map, label).and_then(Value::as_integer).and_then(|n| i64::try_from(n).ok());
        let bytes = |label: i64| find(&map, label).and_then(Value::as_bytes);
        let exact = |label: i64| bytes(label).and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok());
        let algorithm = number(ALG).ok_or(KeyRefused::Malformed)?;
        let parameters = map.len();
        let key = match (number(KTY), algorithm) {
            (Some(EC2), ES256) if parameters == 5 && number(-1) == Some(P256) => {
                let (x, y) = exact(-2).zip(exact(-3)).ok_or(KeyRefused::Malformed)?;
                let mut point = [4; 65];
                for (to, from) in point.iter_mut().skip(1).zip(x.into_iter().chain(y)) {
                    *to = from;
                }
                PublicKey::Es256(point)
            }
            (Some(OKP), EDDSA) if parameters == 4 && number(-1) == Some(ED25519) => {
                PublicKey::EdDsa(exact(-2).ok_or(KeyRefused::Malformed)?)
            }
            (Some(RSA), RS256) if parameters == 4 => {
                let (n, e) = bytes(-1).zip(bytes(-2)).ok_or(KeyRefused::Malformed)?;
                let whole = |bytes: &[u8]| bytes.first().is_some_and(|first| *first != 0);
                if !(256..=1024).contains(&n.len()) || !(1..=4).contains(&e.len()) || !whole(n) || !whole(e) {
                    return Err(KeyRefused::Malformed);
                }
                PublicKey::Rs256 { n: n.clone(), e: e.clone() }
            }
            (Some(EC2), ES256) | (Some(OKP), EDDSA) | (Some(RSA), RS256) => {
                return Err(KeyRefused::Malformed);
            }
            _ => return Err(KeyRefused::Algorithm),
        };
        Ok(Self { key, algorithm })
    }
}

fn find(map: &[(Value, Value)], label: i64) -> Option<&Value> {
    map.iter().find(|(key, _)| *key == Value::from(label)).map(|(_, value)| value)
}
