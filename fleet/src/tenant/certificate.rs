//! What is left of a clinic that was shredded: a statement of what was destroyed, signed by the installation.

use chrono::{DateTime, Utc};
use data_encoding::BASE64;
use praxis_platform::vault::{InstallationKey, VaultError, crypto};
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use crate::registry;

use super::{
    AuditHead, LifeError, Named,
    operation::{Kind, newest},
};

/// What stands before the signed text, so that the key signs nothing else.
const PURPOSE: &[u8] = b"praxis certificate of destruction\n";

/// What was destroyed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Certificate {
    /// What is stated.
    pub statement: String,
    /// The installation.
    pub installation: String,
    /// The clinic.
    pub tenant: Uuid,
    /// Its subdomain.
    pub slug: String,
    /// Its schema and role.
    pub schema: String,
    /// When the keys were destroyed.
    pub at: DateTime<Utc>,
    /// Who had it done.
    pub actor: String,
    /// All versions of the clinic's key.
    pub keys: Vec<DestroyedKey>,
    /// How many data keys of patients and staff can't be opened any more.
    pub data_keys: i64,
    /// How many rows there were in each table that had any.
    pub rows: Vec<(String, i64)>,
    /// The end of the audit log.
    pub audit: Option<AuditHead>,
    /// Exports that somebody else holds the key of, and which go on to open.
    pub exports_handed_out: i64,
}

/// A version of the clinic's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DestroyedKey {
    /// The version.
    pub version: i32,
    /// Names the key without revealing it; nothing where it could not be opened.
    pub fingerprint: Option<String>,
    /// The root key that had wrapped it: backups of the control schema of that time need that one.
    pub wrapper: String,
}

/// A certificate with its signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Certified {
    /// The certificate, to the byte as it was signed.
    pub text: String,
    /// The installation's Ed25519 key, in base64.
    pub public_key: String,
    /// Its signature, in base64.
    pub signature: String,
}

impl Certified {
    /// Signs a certificate.
    pub(super) fn sign(certificate: &Certificate, key: &InstallationKey) -> Result<Self, LifeError> {
        let text = serde_json::to_string(certificate).map_err(|_| LifeError::Malformed("certificate"))?;
        let key = key.signer()?;
        let signature = key.sign(&[PURPOSE, text.as_bytes()].concat());
        Ok(Self { public_key: BASE64.encode(&key.public()), signature: BASE64.encode(&signature), text })
    }

    /// Reads the certificate, if its signature is good and by the key.
    pub fn open(&self, public_key: &[u8; 32]) -> Result<Certificate, LifeError> {
        let signature = BASE64.decode(self.signature.as_bytes()).unwrap_or_default();
        if !crypto::verifies(public_key, &[PURPOSE, self.text.as_bytes()].concat(), &signature) {
            return Err(LifeError::Sealed(VaultError::Tampered));
        }
        serde_json::from_str(&self.text).map_err(|_| LifeError::Malformed("certificate"))
    }
}

/// The certificate of a clinic that was shredded.
pub async fn certificate<'a>(
    admin: &mut PgConnection,
    clinic: impl Into<Named<'a>>,
) -> Result<Certified, LifeError> {
    let named = clinic.into();
    let clinic =
        registry::tenant(admin, named).await?.ok_or_else(|| LifeError::Unknown(named.to_string()))?;
    let none = || LifeError::Refused("the tenant was not shredded".to_owned());
    let operation = newest(admin, clinic.id, Kind::Shred).await?.ok_or_else(none)?;
    serde_json::from_value(operation.detail).map_err(|_| none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_of_one_key_and_one_text() {
        let [ours, theirs] = [(); 2].map(|()| InstallationKey::generate().unwrap());
        let certificate = Certificate {
            statement: "destroyed".to_owned(),
            installation: "abcdefgh".to_owned(),
            tenant: Uuid::from_u128(1),
            slug: "northside".to_owned(),
            schema: "t_1".to_owned(),
            at: DateTime::UNIX_EPOCH,
            actor: "operator".to_owned(),
            keys: vec![DestroyedKey { version: 1, fingerprint: None, wrapper: "file:1".to_owned() }],
            data_keys: 3,
            rows: vec![("patient".to_owned(), 2)],
            audit: None,
            exports_handed_out: 0,
        };
        let certified = Certified::sign(&certificate, &ours).unwrap();
        let key = ours.signer().unwrap().public();
        assert_eq!(certified.open(&key).unwrap(), certificate);
        assert!(certified.open(&theirs.signer().unwrap().public()).is_err());
        let forged = Certified { text: certified.text.replace("northside", "southside"), ..certified };
        assert!(forged.open(&key).is_err());
    }
}
