//! Web push without a payload: one signed POST to the address that the browser's maker gave to a device.
//!
//! Without a payload nothing has to be encrypted, and nobody on the way learns more than that somebody was rung up.
//! Addresses come from clients: they are asked as carefully as identity providers are.

use std::{fmt, sync::Arc};

use data_encoding::{BASE64, BASE64URL_NOPAD};
use oauth2::http::Request;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::json;
use url::Url;

use super::NotRung;
use crate::{
    session::oidc::{NoAnswer, Outbound},
    vault::crypto::randomness,
};

/// A service keeps the call for a device that is away for so long.
const KEPT_S: u32 = 24 * 60 * 60;
/// A signature is good for so long.
const SIGNED_S: i64 = 12 * 60 * 60;

/// The push services of browsers.
#[derive(Clone)]
pub struct WebPush(Arc<Inner>);

struct Inner {
    key: EcdsaKeyPair,
    contact: String,
    outbound: Outbound,
}

/// Why it can't be used. Says nothing of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// The key.
    #[error("not a P-256 key as PKCS#8 in base64")]
    Key,
    /// Whom the services may ask.
    #[error("whom push services may ask is mailto:somebody@example.org or https://…")]
    Contact,
    /// The machine.
    #[error("no client can be made")]
    Client,
}

impl fmt::Debug for WebPush {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "web push with the key {}", self.public_key())
    }
}

impl WebPush {
    /// Judges the settings. `loopback` lets a service be on this machine, by HTTP: for tests.
    pub fn new(key: &str, contact: &str, loopback: bool) -> Result<Self, Unusable> {
        let key = BASE64.decode(key.trim().as_bytes()).map_err(|_| Unusable::Key)?;
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key, &randomness())
            .map_err(|_| Unusable::Key)?;
        if !contact.starts_with("mailto:") && !contact.starts_with("https://") {
            return Err(Unusable::Contact);
        }
        let outbound = Outbound::new(loopback).map_err(|_| Unusable::Client)?;
        Ok(Self(Arc::new(Inner { key, contact: contact.to_owned(), outbound })))
    }

    /// What browsers ask for when they subscribe (`applicationServerKey`).
    pub fn public_key(&self) -> String {
        BASE64URL_NOPAD.encode(self.0.key.public_key().as_ref())
    }

    pub(super) async fn ring(&self, address: &str, about: &str, now: i64) -> Result<(), NotRung> {
        let never = |why: &str| NotRung::Never(why.to_owned());
        let url = Url::parse(address).map_err(|_| never("not an address"))?;
        let token = self.signed(&url, now)?;
        let request = Request::post(url.as_str())
            .header("ttl", KEPT_S)
            .header("urgency", "normal")
            .header("topic", about)
            .header("authorization", format!("vapid t={token}, k={}", self.public_key()))
            .body(Vec::new())
            .map_err(|_| never("not an address"))?;
        match self.0.outbound.send(request).await {
            Ok(answer) => match answer.status().as_u16() {
                200..300 => Ok(()),
                404 | 410 => Err(NotRung::Gone),
                status @ (401 | 403 | 429 | 500..) => Err(NotRung::Later(format!("status {status}"))),
                status => Err(NotRung::Never(format!("status {status}"))),
            },
            Err(NoAnswer::Forbidden) => Err(never("this address may not be asked")),
            Err(NoAnswer::Http(_)) => Err(NotRung::Later("no answer".to_owned())),
            Err(other) => Err(NotRung::Later(other.to_string())),
        }
    }

    /// RFC 8292: who rings, to which service, until when.
    fn signed(&self, service: &Url, now: i64) -> Result<String, NotRung> {
        let header = json!({ "typ": "JWT", "alg": "ES256" });
        let audience = service.origin().ascii_serialization();
        let claims = json!({ "aud": audience, "exp": now + SIGNED_S, "sub": self.0.contact });
        let part = |json: serde_json::Value| BASE64URL_NOPAD.encode(json.to_string().as_bytes());
        let text = format!("{}.{}", part(header), part(claims));
        let signature = self.0.key.sign(&randomness(), text.as_bytes());
        let signature = signature.map_err(|_| NotRung::Later("signing failed".to_owned()))?;
        Ok(format!("{text}.{}", BASE64URL_NOPAD.encode(signature.as_ref())))
    }
}
