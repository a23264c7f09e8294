//! An authenticator in software, which answers as browsers do. Tests of the server use it too.

use ciborium::{Value as Cbor, cbor};
use data_encoding::BASE64URL_NOPAD;
use ring::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    rsa,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use serde_json::{Value, json};

pub const PRESENT: u8 = 1;
pub const VERIFIED: u8 = 1 << 2;
pub const ELIGIBLE: u8 = 1 << 3;
pub const BACKED_UP: u8 = 1 << 4;
const ATTESTED: u8 = 1 << 6;

/// The kinds of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Es256,
    EdDsa,
    Rs256,
}

enum Key {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(Box<RsaKeyPair>),
}

/// An authenticator with one passkey, and what it says.
pub struct Authenticator {
    key: Key,
    rng: SystemRandom,
    pub credential_id: Vec<u8>,
    pub user_handle: Option<Vec<u8>>,
    pub counter: u32,
    pub flags: u8,
    pub host: String,
    pub origin: String,
    pub cross_origin: bool,
}

impl Authenticator {
    /// A new one; `seed` tells it from others.
    pub fn new(kind: Kind, seed: u8, host: &str, origin: &str) -> Self {
        let rng = rng();
        let key = match kind {
            Kind::Es256 => {
                let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &rng).unwrap();
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref(), &rng);
                Key::Es256(pair.unwrap())
            }
            Kind::EdDsa => Key::EdDsa(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()),
            Kind::Rs256 => {
                Key::Rs256(Box::new(RsaKeyPair::from_pkcs8(include_bytes!("rsa-2048.pk8")).unwrap()))
            }
        };
        let credential_id = digest(&SHA256, &[seed, kind as u8]).as_ref().to_vec();
        Self {
            key,
            rng,
            credential_id,
            user_handle: None,
            counter: 0,
            flags: PRESENT | VERIFIED,
            host: host.to_owned(),
            origin: origin.to_owned(),
            cross_origin: false,
        }
    }

    /// The public key in COSE form.
    pub fn cose(&self) -> Cbor {
        match &self.key {
            Key::Es256(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                let (x, y) = (Cbor::Bytes(x.to_vec()), Cbor::Bytes(y.to_vec()));
                cbor!({ 1 => 2, 3 => -7, -1 => 1, -2 => x, -3 => y }).unwrap()
            }
            Key::EdDsa(pair) => {
                let x = Cbor::Bytes(pair.public_key().as_ref().to_vec());
                cbor!({ 1 => 1, 3 => -8, -1 => 6, -2 => x }).unwrap()
            }
            Key::Rs256(pair) => {
                let public: rsa::PublicKeyComponents<Vec<u8>> = pair.public().into();
                let (n, e) = (Cbor::Bytes(public.n), Cbor::Bytes(public.e));
                cbor!({ 1 => 3, 3 => -257, -1 => n, -2 => e }).unwrap()
            }
        }
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.key {
            Key::Es256(pair) => pair.sign(&self.rng, message).unwrap().as_ref().to_vec(),
            Key::EdDsa(pair) => pair.sign(message).as_ref().to_vec(),
            Key::Rs256(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &self.rng, message, &mut signature).unwrap();
                signature
            }
        }
    }

    pub fn client_data(&self, ceremony: &str, challenge: &str) -> Vec<u8> {
        json!({ "type": ceremony, "challenge": challenge, "origin": self.origin, "crossOrigin": self.cross_origin })
            .to_string()
            .into_bytes()
    }

    /// Authenticator data: with the new credential, or without.
    pub fn data(&self, key: Option<&Cbor>) -> Vec<u8> {
        let mut data = digest(&SHA256, self.host.as_bytes()).as_ref().to_vec();
        data.push(self.flags | if key.is_some() { ATTESTED } else { 0 });
        data.extend(self.counter.to_be_bytes());
        if let Some(key) = key {
            data.extend([0; 16]);
            data.extend(u16::try_from(self.credential_id.len()).unwrap().to_be_bytes());
            data.extend(&self.credential_id);
            data.extend(encoded(key));
        }
        data
    }

    /// The answer to creation options.
    pub fn create(&mut self, options: &Value) -> Value {
        self.user_handle = options["user"]["id"].as_str().map(decoded);
        let client_data = self.client_data("webauthn.create", options["challenge"].as_str().unwrap());
        let data = Cbor::Bytes(self.data(Some(&self.cose())));
        let attestation = cbor!({ "fmt" => "none", "attStmt" => {}, "authData" => data }).unwrap();
        self.created(&client_data, &encoded(&attestation))
    }

    pub fn created(&self, client_data: &[u8], attestation: &[u8]) -> Value {
        let id = base64url(&self.credential_id);
        json!({ "id": id, "rawId": id, "type": "public-key", "authenticatorAttachment": "platform",
            "clientExtensionResults": {}, "response": {
                "clientDataJSON": base64url(client_data), "attestationObject": base64url(attestation),
                "transports": ["internal", "carrier-pigeon"] } })
    }

    /// The answer to request options. The counter counts.
    pub fn get(&mut self, options: &Value) -> Value {
        self.counter += 1;
        let client_data = self.client_data("webauthn.get", options["challenge"].as_str().unwrap());
        let data = self.data(None);
        let signature = self.sign(&[data.as_slice(), digest(&SHA256, &client_data).as_ref()].concat());
        self.got(&client_data, &data, &signature)
    }

    pub fn got(&self, client_data: &[u8], data: &[u8], signature: &[u8]) -> Value {
        let id = base64url(&self.credential_id);
        json!({ "id": id, "rawId": id, "type": "public-key", "clientExtensionResults": {}, "response": {
            "clientDataJSON": base64url(client_data), "authenticatorData": base64url(data),
            "signature": base64url(signature), "userHandle": self.user_handle.as_deref().map(base64url) } })
    }
}

pub fn encoded(value: &Cbor) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    bytes
}

pub fn base64url(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

fn decoded(text: &str) -> Vec<u8> {
    BASE64URL_NOPAD.decode(text.as_bytes()).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "keys of test authenticators may well be random")]
fn rng() -> SystemRandom {
    SystemRandom::new()
}
