//! The two ceremonies, in the order in which the standard lists their checks (7.1 and 7.2).

use ciborium::Value;

use super::{
    Refused, Site,
    authenticator_data::{AuthenticatorData, cbor, distinct},
    client_data::{self, Ceremony},
    cose::CoseKey,
    response::{Assertion, Registration},
};
use crate::vault::crypto;

/// Ways to reach an authenticator that a browser may name; unknown ones are dropped.
const TRANSPORTS: [&str; 6] = ["ble", "hybrid", "internal", "nfc", "smart-card", "usb"];

/// A passkey that was made just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPasskey {
    /// How the authenticator calls it.
    pub credential_id: Vec<u8>,
    /// Public key in COSE form.
    pub public_key: Vec<u8>,
    /// The authenticator's counter.
    pub sign_count: u32,
    /// Whether it may be copied to other devices.
    pub backup_eligible: bool,
    /// How the authenticator is reached.
    pub transports: Vec<String>,
}

/// A passkey that was used just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asserted {
    /// The authenticator's counter now.
    pub sign_count: u32,
    /// Whether its holder was verified, by a PIN or otherwise: then it is two factors at once.
    pub user_verified: bool,
    /// Whether the counter did not grow as it had to: there is a second copy of the key.
    pub cloned: bool,
}

/// Checks the answer to the options for making a passkey.
pub fn register(answer: &Registration, challenge: &str, site: &Site) -> Result<NewPasskey, Refused> {
    let client_data = &answer.response.client_data;
    client_data::check(client_data, Ceremony::Create, challenge, site)?;
    let attestation = attestation(&answer.response.attestation)?;
    let data = AuthenticatorData::parse(&attestation.authenticator_data)?;
    about_the_user(&data, site)?;
    let attested = data.attested.ok_or(Refused::AuthenticatorData)?;
    if attested.credential_id != answer.id {
        return Err(Refused::Credential);
    }
    let key = CoseKey::parse(&attested.public_key)?;
    if let Some(own) = attestation.own {
        // Signed by the new key itself: proves nothing but that the authenticator holds it.
        let signed = signed(&attestation.authenticator_data, client_data);
        if own.algorithm != key.algorithm || !key.key.verifies(&signed, &own.signature) {
            return Err(Refused::Attestation);
        }
    }
    let named = |known: &str| answer.response.transports.iter().any(|transport| transport == known);
    Ok(NewPasskey {
        credential_id: attested.credential_id,
        public_key: attested.public_key,
        sign_count: data.sign_count,
        backup_eligible: data.backup_eligible,
        transports: TRANSPORTS.into_iter().filter(|known| named(known)).map(str::to_owned).collect(),
    })
}

/// What is known of the passkey that is used.
#[derive(Debug, Clone, Copy)]
pub struct Stored<'a> {
    /// Public key in COSE form.
    pub public_key: &'a [u8],
    /// The counter at its last use.
    pub sign_count: u32,
    /// Whether it may be copied to other devices.
    pub backup_eligible: bool,
    /// What stands for its owner in the authenticator.
    pub user_handle: &'a [u8],
}

/// Checks the answer to the options for using a passkey.
pub fn assert(
    answer: &Assertion,
    challenge: &str,
    site: &Site,
    known: Stored<'_>,
) -> Result<Asserted, Refused> {
    let response = &answer.response;
    if response.user_handle.as_deref().is_some_and(|handle| handle != known.user_handle) {
        return Err(Refused::UserHandle);
    }
    client_data::check(&response.client_data, Ceremony::Get, challenge, site)?;
    let data = AuthenticatorData::parse(&response.authenticator_data)?;
    about_the_user(&data, site)?;
    if data.attested.is_some() {
        return Err(Refused::AuthenticatorData);
    }
    if data.backup_eligible != known.backup_eligible {
        return Err(Refused::Backup);
    }
    let key = CoseKey::parse(known.public_key)?;
    if !key.key.verifies(&signed(&response.authenticator_data, &response.client_data), &response.signature) {
        return Err(Refused::Signature);
    }
    // Authenticators without a counter say zero for ever.
    let counts = data.sign_count != 0 || known.sign_count != 0;
    Ok(Asserted {
        sign_count: data.sign_count,
        user_verified: data.user_verified,
        cloned: counts && data.sign_count <= known.sign_count,
    })
}

fn about_the_user(data: &AuthenticatorData, site: &Site) -> Result<(), Refused> {
    if data.host_hash != crypto::sha256(site.host().as_bytes()) {
        return Err(Refused::RelyingParty);
    }
    if data.user_present { Ok(()) } else { Err(Refused::User) }
}

/// What a passkey signs.
fn signed(authenticator_data: &[u8], client_data: &[u8]) -> Vec<u8> {
    [authenticator_data, &crypto::sha256(client_data)].concat()
}

struct AttestationObject {
    authenticator_data: Vec<u8>,
    own: Option<OwnSignature>,
}

struct OwnSignature {
    algorithm: i64,
    signature: Vec<u8>,
}

/// None was asked for, so the browser sends none, or what the new key itself signed.
fn attestation(mut bytes: &[u8]) -> Result<AttestationObject, Refused> {
    let map = cbor(&mut bytes).filter(|_| bytes.is_empty()).and_then(|value| value.into_map().ok());
    let (mut format, mut statement, mut data) = (None, None, None);
    for (key, value) in map.and_then(distinct).ok_or(Refused::Attestation)? {
        match key.as_text() {
            Some("fmt") => format = value.into_text().ok(),
            Some("attStmt") => statement = value.into_map().ok().and_then(distinct),
            Some("authData") => data = value.into_bytes().ok(),
            _ => return Err(Refused::Attestation),
        }
    }
    let (Some(format), Some(statement), Some(authenticator_data)) = (format, statement, data) else {
        return Err(Refused::Attestation);
    };
    let own = match (format.as_str(), statement.as_slice()) {
        ("none", []) => None,
        ("packed", [_, _]) => Some(own_signature(statement).ok_or(Refused::Attestation)?),
        _ => return Err(Refused::Attestation),
    };
    Ok(AttestationObject { authenticator_data, own })
}

fn own_signature(statement: Vec<(Value, Value)>) -> Option<OwnSignature> {
    let (mut algorithm, mut signature) = (None, None);
    for (key, value) in statement {
        match key.as_text()? {
            "alg" => algorithm = value.as_integer().and_then(|number| i64::try_from(number).ok()),
            "sig" => signature = value.into_bytes().ok(),
            _ => return None,
        }
    }
    Some(OwnSignature { algorithm: algorithm?, signature: signature? })
}
