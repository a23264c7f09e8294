//! A browser's answers, as `PublicKeyCredential.toJSON()` writes them.
//!
//! Members that are not needed (the parsed copies that level 3 added, results of extensions) are
//! passed over: they repeat what the signed bytes say, and are not signed.

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Deserializer, de::Error};

/// Longer parts than any authenticator makes are refused before they are decoded.
const MAX_PART: usize = 16 * 1024;

/// The JSON is not a credential of the known form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a credential of the known form")]
pub struct Unreadable;

/// The answer to `navigator.credentials.create()`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Registration {
    #[serde(rename = "rawId", deserialize_with = "base64url")]
    pub(super) id: Vec<u8>,
    r#type: String,
    pub(super) response: Attestation,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Attestation {
    #[serde(rename = "clientDataJSON", deserialize_with = "base64url")]
    pub(super) client_data: Vec<u8>,
    #[serde(rename = "attestationObject", deserialize_with = "base64url")]
    pub(super) attestation: Vec<u8>,
    #[serde(default)]
    pub(super) transports: Vec<String>,
}

/// The answer to `navigator.credentials.get()`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Assertion {
    #[serde(rename = "rawId", deserialize_with = "base64url")]
    id: Vec<u8>,
    r#type: String,
    pub(super) response: Signed,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Signed {
    #[serde(rename = "clientDataJSON", deserialize_with = "base64url")]
    pub(super) client_data: Vec<u8>,
    #[serde(rename = "authenticatorData", deserialize_with = "base64url")]
    pub(super) authenticator_data: Vec<u8>,
    #[serde(deserialize_with = "base64url")]
    pub(super) signature: Vec<u8>,
    #[serde(rename = "userHandle", default, deserialize_with = "optional")]
    pub(super) user_handle: Option<Vec<u8>>,
}

impl Registration {
    /// Reads the JSON.
    pub fn read(json: serde_json::Value) -> Result<Self, Unreadable> {
        serde_json::from_value(json).ok().filter(|read: &Self| read.r#type == "public-key").ok_or(Unreadable)
    }

    /// The challenge that it claims to answer.
    pub fn challenge(&self) -> Option<String> {
        super::challenge_of(&self.response.client_data)
    }
}

impl Assertion {
    /// Reads the JSON.
    pub fn read(json: serde_json::Value) -> Result<Self, Unreadable> {
        serde_json::from_value(json).ok().filter(|read: &Self| read.r#type == "public-key").ok_or(Unreadable)
    }

    /// The challenge that it claims to answer.
    pub fn challenge(&self) -> Option<String> {
        super::challenge_of(&self.response.client_data)
    }

    /// Whether it says whose it is; a passkey does when nobody was named.
    pub fn names_its_user(&self) -> bool {
        self.response.user_handle.is_some()
    }

    /// Which credential it claims to be of.
    pub fn credential_id(&self) -> &[u8] {
        &self.id
    }
}

fn base64url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.len() > MAX_PART {
        return Err(D::Error::custom("too long"));
    }
    BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| D::Error::custom("not base64url"))
}

fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u8>>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    base64url(serde::de::value::StringDeserializer::<D::Error>::new(text)).map(Some)
}
