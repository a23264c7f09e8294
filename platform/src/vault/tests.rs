//! The vault as a whole: swaps, other keys, and the published vectors.

use std::collections::HashSet;

use data_encoding::HEXLOWER;
use futures::executor::block_on;
use praxis_entity::value::{PhiClass, Sealed};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::px1::Body;
use super::*;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Identity {
    family: String,
    given: Vec<String>,
}

impl PhiClass for Identity {
    const CLASS: &'static str = "identity";
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Contact(serde_json::Value);

impl PhiClass for Contact {
    const CLASS: &'static str = "contact";
}

const PLACE: Place = Place {
    tenant: Uuid::from_u128(1),
    table: "patient",
    row: Uuid::from_u128(2),
    subject: Uuid::from_u128(3),
};

fn key() -> DataKey {
    DataKey::generate(PLACE.tenant, PLACE.subject, 1).unwrap()
}

fn identity(family: &str) -> Identity {
    Identity { family: family.to_owned(), given: vec!["Ana".to_owned()] }
}

#[test]
fn a_value_opens_at_its_place_only() {
    let key = key();
    let sealed = key.seal(&PLACE, &identity("García")).unwrap();
    assert_eq!(key.open(&PLACE, &sealed), Ok(identity("García")));

    let other = Uuid::from_u128(9);
    assert_eq!(key.open(&Place { row: other, ..PLACE }, &sealed), Err(VaultError::Tampered));
    assert_eq!(key.open(&Place { table: "person", ..PLACE }, &sealed), Err(VaultError::Tampered));
    assert_eq!(key.open(&Place { subject: other, ..PLACE }, &sealed), Err(VaultError::WrongKey));
    assert_eq!(key.open(&Place { tenant: other, ..PLACE }, &sealed), Err(VaultError::WrongKey));
    let as_contact = Sealed::<Contact>::from_bytes(sealed.as_bytes().to_vec());
    assert_eq!(key.open(&PLACE, &as_contact), Err(VaultError::Tampered));
}

#[test]
fn a_value_is_not_sealed_under_the_key_of_another() {
    let other = Uuid::from_u128(9);
    for place in [Place { subject: other, ..PLACE }, Place { tenant: other, ..PLACE }] {
        assert_eq!(key().seal(&place, &identity("Li")), Err(VaultError::WrongKey));
    }
}

#[test]
fn one_ciphertext_does_not_open_under_two_keys() {
    let sealed = key().seal(&PLACE, &identity("Li")).unwrap();
    assert_eq!(key().open(&PLACE, &sealed), Err(VaultError::Tampered));
    let second = DataKey::generate(PLACE.tenant, PLACE.subject, 2).unwrap();
    assert_eq!(second.open(&PLACE, &sealed), Err(VaultError::UnknownVersion(1)));
}

#[test]
fn nonces_are_distinct() {
    let key = key();
    let seal = || key.seal(&PLACE, &identity("Li")).unwrap().as_bytes()[8..20].to_vec();
    let nonces: HashSet<_> = (0..5_000).map(|_| seal()).collect();
    assert_eq!(nonces.len(), 5_000);
}

#[test]
fn short_names_have_one_length() {
    let key = key();
    let length = |family| key.seal(&PLACE, &identity(family)).unwrap().as_bytes().len();
    assert_eq!(length("Li"), length("Papadopoulos"));
}

#[test]
fn what_does_not_parse_is_refused_without_quoting_it() {
    let key = key();
    let body = Body::of(br#"{"family":"Canary","given":"Canary"}"#);
    let bytes = key.seal_body(&PLACE, Identity::CLASS, [0; 12], body).unwrap();
    let error = key.open(&PLACE, &Sealed::<Identity>::from_bytes(bytes)).unwrap_err();
    assert_eq!(error, VaultError::Format("value"));
    assert!(!format!("{error} {error:?} {key:?}").contains("Canary"));
}

proptest! {
    #[test]
    fn what_was_sealed_opens(family: String, given: Vec<String>, row: u128) {
        let (key, value) = (key(), Identity { family, given });
        let place = Place { row: Uuid::from_u128(row), ..PLACE };
        let sealed = key.seal(&place, &value).unwrap();
        prop_assert_eq!(key.open(&place, &sealed).unwrap(), value);
    }

    #[test]
    fn any_change_is_refused(at: prop::sample::Index, change in 1_u8..) {
        let key = key();
        let mut bytes = key.seal(&PLACE, &identity("García")).unwrap().as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        prop_assert!(key.open(&PLACE, &Sealed::<Identity>::from_bytes(bytes)).is_err());
    }
}

#[derive(Deserialize)]
struct Vectors {
    root_key: String,
    tenant: Uuid,
    subject: Uuid,
    tenant_key_version: u32,
    wrapped_tenant_key: String,
    data_key: StoredKey,
    values: Vec<Vector>,
    refused: Vec<Vector>,
}

#[derive(Deserialize)]
struct StoredKey {
    version: u32,
    wrapped: String,
    commitment: String,
}

#[derive(Deserialize)]
struct Vector {
    #[serde(default)]
    why: String,
    table: String,
    class: String,
    row: Uuid,
    json: String,
    sealed: String,
}

fn hex(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.as_bytes()).unwrap()
}

#[test]
fn the_published_vectors_hold() {
    let vectors: Vectors = serde_json::from_str(include_str!("../../../docs/px1-vectors.json")).unwrap();
    let root = LocalKeyWrapper::new("test", &RootKey::parse(&vectors.root_key).unwrap());
    let stored = GuardedKey {
        version: vectors.tenant_key_version,
        bytes: hex(&vectors.wrapped_tenant_key),
        wrapper: root.id(),
    };
    let tenant_key = block_on(TenantKey::unwrap(vectors.tenant, &[stored], &root)).unwrap();
    let wrapped = WrappedKey {
        version: vectors.data_key.version,
        bytes: hex(&vectors.data_key.wrapped),
        commitment: hex(&vectors.data_key.commitment).try_into().unwrap(),
    };
    let key = tenant_key.unwrap_data_key(vectors.subject, &wrapped).unwrap();
    assert_eq!(tenant_key.wrap_data_key(&key).unwrap().commitment, wrapped.commitment);

    let place = |vector: &Vector| Place {
        tenant: vectors.tenant,
        table: vector.table.clone().leak(),
        row: vector.row,
        subject: vectors.subject,
    };
    let open = |vector: &Vector| {
        assert_eq!(vector.class, Contact::CLASS);
        key.open(&place(vector), &Sealed::<Contact>::from_bytes(hex(&vector.sealed)))
    };
    assert!(vectors.values.len() >= 3 && vectors.refused.len() >= 3);
    for vector in &vectors.values {
        assert_eq!(open(vector), Ok(Contact(serde_json::from_str(&vector.json).unwrap())));
        let bytes = hex(&vector.sealed);
        let nonce = bytes[8..20].try_into().unwrap();
        let again = key.seal_body(&place(vector), Contact::CLASS, nonce, Body::of(vector.json.as_bytes()));
        assert_eq!(again, Ok(bytes));
    }
    for vector in &vectors.refused {
        assert!(open(vector).is_err(), "{}", vector.why);
    }
}
