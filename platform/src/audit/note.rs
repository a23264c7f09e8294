//! Checkpoints: the state of the tree as a C2SP signed note, which anyone's tools verify.
//!
//! `c2sp.org/tlog-checkpoint` and `c2sp.org/signed-note`, with Ed25519. A log's name never changes;
//! the verifier key (`name+id+key`) is what an auditor keeps apart from the database.

use std::{fmt, str::FromStr};

use data_encoding::{BASE64, HEXLOWER};

use super::tree::Hash;
use crate::vault::{
    VaultError,
    crypto::{self, SigningKey},
};

/// The kind of key in a verifier key: Ed25519.
const ED25519: u8 = 1;

/// The state of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Name of the log.
    pub origin: String,
    /// How many leaves.
    pub size: u64,
    /// Root of the tree.
    pub root: Hash,
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, BASE64.encode(&self.root))
    }
}

/// Why a note is not a checkpoint of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not in the form of a signed note, a checkpoint, or a verifier key.
    #[error("malformed")]
    Malformed,
    /// No signature by the key, or one that is not good.
    #[error("not signed by the log's key")]
    Unsigned,
    /// Signed, but by another log.
    #[error("of another log")]
    OtherLog,
}

/// Signs the checkpoints of one log.
pub struct Signer {
    verifier: Verifier,
    key: SigningKey,
}

impl Signer {
    /// The signer of a log.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, VaultError> {
        let key = SigningKey::from_seed(seed)?;
        Ok(Self { verifier: Verifier { name: name.to_owned(), public: key.public() }, key })
    }

    /// What verifies its notes.
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// The signed note of a state.
    pub fn sign(&self, size: u64, root: Hash) -> String {
        let origin = self.verifier.name.clone();
        let body = Checkpoint { origin, size, root }.to_string();
        let signature = [&self.verifier.id()[..], &self.key.sign(body.as_bytes())].concat();
        format!("{body}\n\u{2014} {} {}\n", self.verifier.name, BASE64.encode(&signature))
    }
}

/// Verifies the checkpoints of one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    /// Name of the log.
    pub name: String,
    /// Ed25519 public key.
    pub public: [u8; 32],
}

impl Verifier {
    fn id(&self) -> [u8; 4] {
        let [a, b, c, d, ..] =
            crypto::sha256(&[self.name.as_bytes(), b"\n", &[ED25519], &self.public].concat());
        [a, b, c, d]
    }

    /// The checkpoint in a note, if the log's key signed it.
    pub fn open(&self, note: &str) -> Result<Checkpoint, NoteError> {
        let end = note.rfind("\n\n").ok_or(NoteError::Malformed)?;
        let (body, signatures) = note.split_at_checked(end + 1).ok_or(NoteError::Malformed)?;
        let mut signed = false;
        for line in signatures.trim_start_matches('\n').lines() {
            let line = line.strip_prefix("\u{2014} ").ok_or(NoteError::Malformed)?;
            let (name, signature) = line.rsplit_once(' ').ok_or(NoteError::Malformed)?;
            let signature = BASE64.decode(signature.as_bytes()).map_err(|_| NoteError::Malformed)?;
            let Some((id, signature)) = signature.split_first_chunk::<4>() else {
                return Err(NoteError::Malformed);
            };
            // Others may sign as well; they are none of ours.
            if name == self.name && *id == self.id() {
                if !crypto::verifies(&self.public, body.as_bytes(), signature) {
                    return Err(NoteError::Unsigned);
                }
                signed = true;
            }
        }
        if !signed {
            return Err(NoteError::Unsigned);
        }
        let checkpoint = parse(body).ok_or(NoteError::Malformed)?;
        if checkpoint.origin == self.name { Ok(checkpoint) } else { Err(NoteError::OtherLog) }
    }
}

fn parse(body: &str) -> Option<Checkpoint> {
    let mut lines = body.split('\n');
    let (origin, digits, root) = (lines.next()?, lines.next()?, lines.next()?);
    let size: u64 = digits.parse().ok()?;
    let root = BASE64.decode(root.as_bytes()).ok()?.try_into().ok()?;
    // One text for each number.
    (size.to_string() == digits).then(|| Checkpoint { origin: origin.to_owned(), size, root })
}

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = BASE64.encode(&[&[ED25519], &self.public[..]].concat());
        write!(f, "{}+{}+{key}", self.name, HEXLOWER.encode(&self.id()))
    }
}

impl FromStr for Verifier {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::Malformed);
        };
        let key = BASE64.decode(key.as_bytes()).map_err(|_| NoteError::Malformed)?;
        let Some((&ED25519, public)) = key.split_first() else { return Err(NoteError::Malformed) };
        let public = public.try_into().map_err(|_| NoteError::Malformed)?;
        let verifier = Self { name: name.to_owned(), public };
        if HEXLOWER.encode(&verifier.id()) == id { Ok(verifier) } else { Err(NoteError::Malformed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer() -> Signer {
        Signer::new("praxis/audit/test", &[7; 32]).unwrap()
    }

    #[test]
    fn the_example_of_the_specification_verifies() {
        // c2sp.org/signed-note, the vectors of Go's sumdb/note.
        let verifier: Verifier =
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".parse().unwrap();
        let note = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        // Well signed, but no checkpoint.
        assert_eq!(verifier.open(note), Err(NoteError::Malformed));
        assert_eq!(verifier.open(&note.replace("the answer", "an answer")), Err(NoteError::Unsigned));
    }

    #[test]
    fn what_was_signed_opens_with_the_key_and_no_other() {
        let note = signer().sign(3, [9; 32]);
        let verifier: Verifier = signer().verifier().to_string().parse().unwrap();
        let expected = Checkpoint { origin: "praxis/audit/test".to_owned(), size: 3, root: [9; 32] };
        assert_eq!(verifier.open(&note), Ok(expected));
        let other = Signer::new("praxis/audit/test", &[8; 32]).unwrap();
        assert_eq!(other.verifier().open(&note), Err(NoteError::Unsigned));
        assert_eq!(verifier.open(&note.replace("\n3\n", "\n4\n")), Err(NoteError::Unsigned));
        assert_eq!(verifier.open("nothing"), Err(NoteError::Malformed));
    }

    #[test]
    fn a_verifier_key_with_another_id_is_refused() {
        let key = signer().verifier().to_string();
        assert!(key.replace("audit/test", "audit/tent").parse::<Verifier>().is_err());
        assert!("a+b".parse::<Verifier>().is_err());
    }
}
