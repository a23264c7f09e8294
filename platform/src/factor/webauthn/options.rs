//! What a browser is asked, in the JSON that `parseCreationOptionsFromJSON` and
//! `parseRequestOptionsFromJSON` read.

use data_encoding::BASE64URL_NOPAD;
use praxis_entity::passkey;
use serde_json::{Value, json};

use super::{Site, cose::ALGORITHMS};

/// How long the browser waits for its user, in milliseconds: as long as a challenge lives.
const TIMEOUT: u32 = 5 * 60 * 1000;

/// A passkey that there is already.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// How the authenticator calls it.
    pub credential_id: &'a [u8],
    /// How the authenticator is reached.
    pub transports: &'a [String],
}

impl<'a> From<&'a passkey::Model> for Known<'a> {
    fn from(stored: &'a passkey::Model) -> Self {
        Self { credential_id: &stored.credential_id, transports: &stored.transports }
    }
}

/// For whom a passkey is made.
#[derive(Debug, Clone, Copy)]
pub struct Person<'a> {
    /// What stands for them in the authenticator; says nothing about them.
    pub handle: &'a [u8],
    /// Login.
    pub email: &'a str,
    /// Name as shown.
    pub display_name: &'a str,
}

/// Options for making a passkey.
pub fn creation_options(
    challenge: &str,
    site: &Site,
    clinic: &str,
    person: Person<'_>,
    known: &[Known<'_>],
) -> Value {
    json!({
        "challenge": challenge,
        "rp": { "id": site.host(), "name": clinic },
        "user": {
            "id": BASE64URL_NOPAD.encode(person.handle),
            "name": person.email,
            "displayName": person.display_name,
        },
        "pubKeyCredParams": ALGORITHMS.map(|alg| json!({ "type": "public-key", "alg": alg })),
        "timeout": TIMEOUT,
        "excludeCredentials": descriptors(known),
        "authenticatorSelection": { "residentKey": "preferred", "userVerification": "preferred" },
        "attestation": "none",
    })
}

/// Options for using a passkey. Without any named, the browser offers what it has; then nobody has
/// shown a password before, and the passkey has to verify its holder.
pub fn request_options(challenge: &str, site: &Site, known: &[Known<'_>]) -> Value {
    json!({
        "challenge": challenge,
        "rpId": site.host(),
        "timeout": TIMEOUT,
        "userVerification": if known.is_empty() { "required" } else { "preferred" },
        "allowCredentials": descriptors(known),
    })
}

fn descriptors(known: &[Known<'_>]) -> Vec<Value> {
    known
        .iter()
        .map(|known| {
            json!({
                "type": "public-key",
                "id": BASE64URL_NOPAD.encode(known.credential_id),
                "transports": known.transports,
            })
        })
        .collect()
}
