//! What is accepted, and everything that is not.

mod authenticator;

use authenticator::{Authenticator, BACKED_UP, ELIGIBLE, Kind, PRESENT, VERIFIED, encoded};
use ciborium::{Value as Cbor, cbor};
use proptest::prelude::*;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::{
    Asserted, Assertion, KeyRefused, NewPasskey, Person, Refused, Registration, Site, Stored,
    authenticator_data::{AuthenticatorData, cbor},
    cose::CoseKey,
};

const HOST: &str = "northside.localhost";
const ORIGIN: &str = "http://northside.localhost:8080";
const USER: &[u8] = b"0123456789abcdef";
const KINDS: [Kind; 3] = [Kind::Es256, Kind::EdDsa, Kind::Rs256];

fn site() -> Site {
    Site::of("northside.localhost:8080").unwrap()
}

fn authenticator(kind: Kind) -> Authenticator {
    Authenticator::new(kind, 1, HOST, ORIGIN)
}

fn create(challenge: &str) -> Value {
    let person = Person { handle: USER, email: "ann@praxis.test", display_name: "Ann" };
    super::creation_options(challenge, &site(), "Northside", person, &[])
}

fn register(answer: Value) -> Result<NewPasskey, Refused> {
    super::register(&Registration::read(answer).unwrap(), "new", &site())
}

fn assert(answer: Value, passkey: &NewPasskey) -> Result<Asserted, Refused> {
    let known = Stored {
        public_key: &passkey.public_key,
        sign_count: passkey.sign_count,
        backup_eligible: passkey.backup_eligible,
        user_handle: USER,
    };
    super::assert(&Assertion::read(answer).unwrap(), "use", &site(), known)
}

/// An authenticator and its passkey.
fn registered(kind: Kind) -> (Authenticator, NewPasskey) {
    let mut authenticator = authenticator(kind);
    let passkey = register(authenticator.create(&create("new"))).unwrap();
    (authenticator, passkey)
}

#[test]
fn each_kind_of_key_is_made_and_used() {
    for kind in KINDS {
        let (mut authenticator, passkey) = registered(kind);
        assert_eq!(passkey.credential_id, authenticator.credential_id);
        assert_eq!(passkey.transports, ["internal"], "unknown transports are dropped");
        let used = assert(authenticator.get(&json!({ "challenge": "use" })), &passkey);
        assert_eq!(used, Ok(Asserted { sign_count: 1, user_verified: true, cloned: false }), "{kind:?}");
    }
}

#[test]
fn a_counter_that_does_not_grow_tells_of_a_copy() {
    let (mut original, mut passkey) = registered(Kind::EdDsa);
    let use_it = |authenticator: &mut Authenticator, passkey: &NewPasskey| {
        assert(authenticator.get(&json!({ "challenge": "use" })), passkey).unwrap()
    };
    passkey.sign_count = use_it(&mut original, &passkey).sign_count;
    passkey.sign_count = use_it(&mut original, &passkey).sign_count;
    original.counter = 1;
    assert!(use_it(&mut original, &passkey).cloned);
    // One that never counts is no copy; one that stops counting is.
    original.counter = u32::MAX;
    passkey.sign_count = 0;
    let zero = |authenticator: &mut Authenticator, passkey: &NewPasskey| {
        authenticator.counter = 0;
        let client_data = authenticator.client_data("webauthn.get", "use");
        let data = authenticator.data(None);
        let signature =
            authenticator.sign(&[data.as_slice(), digest(&SHA256, &client_data).as_ref()].concat());
        assert(authenticator.got(&client_data, &data, &signature), passkey).unwrap()
    };
    assert!(!zero(&mut original, &passkey).cloned);
    passkey.sign_count = 7;
    assert!(zero(&mut original, &passkey).cloned);
}

/// An answer of the right key that is wrong in one point.
fn used(
    change: impl FnOnce(&mut Authenticator),
    ceremony: &str,
    challenge: &str,
) -> Result<Asserted, Refused> {
    let (mut authenticator, passkey) = registered(Kind::Es256);
    change(&mut authenticator);
    let client_data = authenticator.client_data(ceremony, challenge);
    let data = authenticator.data(None);
    let signature = authenticator.sign(&[data.as_slice(), digest(&SHA256, &client_data).as_ref()].concat());
    assert(authenticator.got(&client_data, &data, &signature), &passkey)
}

#[test]
fn a_use_is_refused_for_each_single_fault() {
    let get = "webauthn.get";
    let origin = |origin: &'static str| move |key: &mut Authenticator| key.origin = origin.to_owned();
    assert!(used(|_| (), get, "use").is_ok());
    assert_eq!(used(|_| (), "webauthn.create", "use"), Err(Refused::Ceremony));
    assert_eq!(used(|_| (), get, "used"), Err(Refused::Challenge));
    assert_eq!(used(|_| (), get, ""), Err(Refused::Challenge));
    for foreign in [
        "http://northside.localhost",
        "http://northside.localhost:8081",
        "http://evil.northside.localhost:8080",
        "http://southside.localhost:8080",
        "http://northside.localhost:8080.evil.example",
        "http://northside.localhost:8080/",
        "android:apk-key-hash:x",
        "null",
        "",
    ] {
        assert_eq!(used(origin(foreign), get, "use"), Err(Refused::Origin), "{foreign}");
    }
    assert!(used(origin("https://northside.localhost:8080"), get, "use").is_ok());
    assert_eq!(used(|key| key.cross_origin = true, get, "use"), Err(Refused::Origin));
    assert_eq!(used(|key| key.host = "southside.localhost".into(), get, "use"), Err(Refused::RelyingParty));
    assert_eq!(used(|key| key.flags = 0, get, "use"), Err(Refused::User));
    assert_eq!(used(|key| key.flags = VERIFIED, get, "use"), Err(Refused::User));
    assert_eq!(used(|key| key.flags = PRESENT | ELIGIBLE, get, "use"), Err(Refused::Backup));
    assert_eq!(used(|key| key.flags = PRESENT | BACKED_UP, get, "use"), Err(Refused::Backup));
    assert_eq!(
        used(|key| key.user_handle = Some(b"somebody else".into()), get, "use"),
        Err(Refused::UserHandle)
    );
    let unverified = used(|key| key.flags = PRESENT, get, "use").unwrap();
    assert!(!unverified.user_verified);
    for kind in KINDS {
        let stranger = |key: &mut Authenticator| {
            let handle = key.user_handle.clone();
            *key = Authenticator::new(kind, 9, HOST, ORIGIN);
            key.user_handle = handle;
        };
        assert_eq!(used(stranger, get, "use"), Err(Refused::Signature), "{kind:?}");
    }
}

#[test]
fn http_is_an_origin_on_this_machine_only() {
    let origins = |authority: &str| Site::of(authority).unwrap().origins;
    assert_eq!(origins("clinic.example"), ["https://clinic.example"]);
    assert_eq!(origins("Clinic.Example:443"), ["https://clinic.example"]);
    assert_eq!(origins("clinic.example:8443"), ["https://clinic.example:8443"]);
    assert_eq!(origins("localhost.example:80"), ["https://localhost.example:80"]);
    assert_eq!(origins("a.localhost:80"), ["https://a.localhost:80", "http://a.localhost"]);
    assert_eq!(Site::of("a b"), None);
}

/// An answer with an attestation object of one's own making.
fn made(attestation: impl FnOnce(&Authenticator, Vec<u8>) -> Cbor) -> Result<NewPasskey, Refused> {
    let authenticator = authenticator(Kind::Es256);
    let object = attestation(&authenticator, authenticator.data(Some(&authenticator.cose())));
    let client_data = authenticator.client_data("webauthn.create", "new");
    register(authenticator.created(&client_data, &encoded(&object)))
}

/// An answer with a key of one's own making.
fn keyed(key: &Cbor) -> Result<NewPasskey, Refused> {
    made(|authenticator, _| object("none", cbor!({}).unwrap(), authenticator.data(Some(key))))
}

fn object(format: &str, statement: Cbor, data: Vec<u8>) -> Cbor {
    let data = Cbor::Bytes(data);
    cbor!({ "fmt" => format, "attStmt" => statement, "authData" => data }).unwrap()
}

#[test]
fn a_new_passkey_is_refused_for_each_single_fault() {
    let fine = || cbor!({}).unwrap();
    assert!(made(|_, data| object("none", fine(), data)).is_ok());
    for format in ["", "NONE", "fido-u2f", "tpm", "apple", "packed"] {
        assert_eq!(made(|_, data| object(format, fine(), data)), Err(Refused::Attestation), "{format}");
    }
    let statement = || cbor!({ "x" => 1 }).unwrap();
    assert_eq!(made(|_, data| object("none", statement(), data)), Err(Refused::Attestation));
    let more = |_: &Authenticator, data: Vec<u8>| {
        let Cbor::Map(mut map) = object("none", fine(), data) else { unreachable!() };
        map.push(("more".into(), 1.into()));
        Cbor::Map(map)
    };
    assert_eq!(made(more), Err(Refused::Attestation));
    let twice = |_: &Authenticator, data: Vec<u8>| {
        let Cbor::Map(mut map) = object("none", fine(), data) else { unreachable!() };
        map.push(map[0].clone());
        Cbor::Map(map)
    };
    assert_eq!(made(twice), Err(Refused::Attestation));
    assert_eq!(made(|_, _| Cbor::Null), Err(Refused::Attestation));
    assert_eq!(made(|_, _| object("none", fine(), Vec::new())), Err(Refused::AuthenticatorData));
    assert_eq!(made(|key, _| object("none", fine(), key.data(None))), Err(Refused::AuthenticatorData));
    let trailing = |_: &Authenticator, mut data: Vec<u8>| {
        data.push(0);
        object("none", fine(), data)
    };
    assert_eq!(made(trailing), Err(Refused::AuthenticatorData));
    let extended = |extensions: Cbor| {
        move |_: &Authenticator, mut data: Vec<u8>| {
            data[32] |= 1 << 7;
            data.extend(encoded(&extensions));
            object("none", fine(), data)
        }
    };
    assert!(made(extended(cbor!({ "credProtect" => 2 }).unwrap())).is_ok());
    assert_eq!(made(extended(1.into())), Err(Refused::AuthenticatorData));
    let deep = (0..64).fold(Cbor::Null, |inner, _| Cbor::Array(vec![inner]));
    assert_eq!(made(extended(cbor!({ "x" => deep }).unwrap())), Err(Refused::AuthenticatorData));
    for length in [0, 1024] {
        let mut authenticator = authenticator(Kind::Es256);
        authenticator.credential_id = vec![7; length];
        let answer = authenticator.create(&create("new"));
        assert_eq!(register(answer), Err(Refused::AuthenticatorData), "{length}");
    }
    let mut answer = authenticator(Kind::Es256).create(&create("new"));
    answer["rawId"] = "AAAA".into();
    assert_eq!(register(answer), Err(Refused::Credential));
    assert_eq!(register(authenticator(Kind::Es256).create(&create("old"))), Err(Refused::Challenge));
}

#[test]
fn only_well_formed_keys_of_three_kinds_are_taken() {
    let point = || Cbor::Bytes(vec![7; 32]);
    let malformed = Err(Refused::Key(KeyRefused::Malformed));
    let unknown = Err(Refused::Key(KeyRefused::Algorithm));
    let short = Cbor::Bytes(vec![7; 31]);
    let cases = [
        (cbor!({ 1 => 2, 3 => -7, -1 => 2, -2 => point(), -3 => point() }), malformed),
        (cbor!({ 1 => 2, 3 => -7, -1 => 1, -2 => point(), -3 => short }), malformed),
        (cbor!({ 1 => 2, 3 => -7, -1 => 1, -2 => point(), -3 => true }), malformed),
        (cbor!({ 1 => 2, 3 => -7, -1 => 1, -2 => point() }), malformed),
        (cbor!({ 1 => 2, 3 => -7, -1 => 1, -2 => point(), -3 => point(), 4 => 1 }), malformed),
        (cbor!({ 1 => 2, 3 => -35, -1 => 2, -2 => point(), -3 => point() }), unknown),
        (cbor!({ 1 => 2, 3 => -8, -1 => 1, -2 => point(), -3 => point() }), unknown),
        (cbor!({ 1 => 1, 3 => -8, -1 => 4, -2 => point() }), malformed),
        (cbor!({ 1 => 1, 3 => -8, -1 => 6, -2 => point(), -4 => point() }), malformed),
        (cbor!({ 1 => 1, 3 => -7, -1 => 6, -2 => point() }), unknown),
        (
            cbor!({ 1 => 3, 3 => -257, -1 => Cbor::Bytes(vec![7; 128]), -2 => Cbor::Bytes(vec![1, 0, 1]) }),
            malformed,
        ),
        (
            cbor!({ 1 => 3, 3 => -257, -1 => Cbor::Bytes(vec![0; 256]), -2 => Cbor::Bytes(vec![1, 0, 1]) }),
            malformed,
        ),
        (cbor!({ 1 => 3, 3 => -257, -1 => Cbor::Bytes(vec![7; 256]), -2 => Cbor::Bytes(vec![]) }), malformed),
        (
            cbor!({ 1 => 3, 3 => -37, -1 => Cbor::Bytes(vec![7; 256]), -2 => Cbor::Bytes(vec![1, 0, 1]) }),
            unknown,
        ),
        (cbor!({ 1 => 2 }), malformed),
        (cbor!({ "1" => 2, "3" => -7 }), malformed),
    ];
    for (number, (key, expected)) in cases.into_iter().enumerate() {
        assert_eq!(keyed(&key.unwrap()).map(|_| ()), expected, "{number}");
    }
    let Cbor::Map(mut twice) = authenticator(Kind::Es256).cose() else { unreachable!() };
    twice[4] = twice[3].clone();
    assert_eq!(keyed(&Cbor::Map(twice)).map(|_| ()), malformed);
}

#[test]
fn cbor_has_one_form_only() {
    for (bytes, fine) in [
        (&b"\x01"[..], true),
        (b"\xa1\x01\x02", true),
        // A number in more bytes than it needs, open-ended strings, arrays and maps, a break alone.
        (b"\x18\x01", false),
        (b"\x1b\x00\x00\x00\x00\x00\x00\x00\x01", false),
        (b"\x5f\x41\x07\xff", false),
        (b"\x9f\x01\xff", false),
        (b"\xbf\x01\x02\xff", false),
        (b"\xff", false),
        // Lengths far beyond what follows.
        (b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff", false),
        (b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff", false),
        (b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff", false),
        (b"", false),
    ] {
        assert_eq!(cbor(&mut &*bytes).is_some(), fine, "{bytes:x?}");
    }
}

#[test]
fn an_attestation_by_the_new_key_itself_is_checked() {
    for kind in KINDS {
        let authenticator = authenticator(kind);
        let data = authenticator.data(Some(&authenticator.cose()));
        let client_data = authenticator.client_data("webauthn.create", "new");
        let signed = [data.as_slice(), digest(&SHA256, &client_data).as_ref()].concat();
        let algorithm = CoseKey::parse(&encoded(&authenticator.cose())).unwrap().algorithm;
        let attested = |algorithm: i64, signature: Vec<u8>| {
            let statement = cbor!({ "alg" => algorithm, "sig" => Cbor::Bytes(signature) }).unwrap();
            let object = encoded(&object("packed", statement, data.clone()));
            register(authenticator.created(&client_data, &object))
        };
        let signature = authenticator.sign(&signed);
        assert!(attested(algorithm, signature.clone()).is_ok(), "{kind:?}");
        assert_eq!(attested(-36, signature.clone()), Err(Refused::Attestation));
        for at in 0..signature.len() {
            let mut changed = signature.clone();
            changed[at] ^= 1;
            assert_eq!(attested(algorithm, changed), Err(Refused::Attestation), "{kind:?} byte {at}");
        }
    }
}

/// One change of some bytes.
#[derive(Debug, Clone)]
enum Change {
    Flip(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Insert(prop::sample::Index, u8),
    Swap(prop::sample::Index, prop::sample::Index),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        4 => (at(), 0_u8..8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        1 => at().prop_map(Change::Cut),
        1 => (at(), any::<u8>()).prop_map(|(at, byte)| Change::Insert(at, byte)),
        1 => (at(), at()).prop_map(|(a, b)| Change::Swap(a, b)),
    ]
}

impl Change {
    fn apply(&self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        let length = bytes.len();
        match self {
            Self::Flip(at, bit) => bytes[at.index(length)] ^= 1 << bit,
            Self::Cut(at) => bytes.truncate(at.index(length)),
            Self::Insert(at, byte) => bytes.insert(at.index(length + 1), *byte),
            Self::Swap(a, b) => bytes.swap(a.index(length), b.index(length)),
        }
        bytes
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn no_changed_use_is_accepted(kind in prop::sample::select(KINDS.to_vec()), part in 0..3_usize, change in change()) {
        let (mut authenticator, passkey) = registered(kind);
        authenticator.counter = 5;
        let client_data = authenticator.client_data("webauthn.get", "use");
        let data = authenticator.data(None);
        let signature = authenticator.sign(&[data.as_slice(), digest(&SHA256, &client_data).as_ref()].concat());
        let mut parts = [client_data, data, signature];
        let changed = change.apply(&parts[part]);
        prop_assume!(changed != parts[part]);
        parts[part] = changed;
        let [client_data, data, signature] = parts;
        prop_assert!(assert(authenticator.got(&client_data, &data, &signature), &passkey).is_err());
    }

    #[test]
    fn no_changed_attestation_by_the_key_itself_is_accepted(in_data: bool, change in change()) {
        let authenticator = authenticator(Kind::EdDsa);
        let data = authenticator.data(Some(&authenticator.cose()));
        let client_data = authenticator.client_data("webauthn.create", "new");
        let signed = [data.as_slice(), digest(&SHA256, &client_data).as_ref()].concat();
        let statement = cbor!({ "alg" => -8, "sig" => Cbor::Bytes(authenticator.sign(&signed)) }).unwrap();
        let (before, changed) = if in_data { (data.clone(), change.apply(&data)) } else { (client_data.clone(), change.apply(&client_data)) };
        prop_assume!(before != changed);
        let (data, client_data) = if in_data { (changed, client_data) } else { (data, changed) };
        let answer = authenticator.created(&client_data, &encoded(&object("packed", statement, data)));
        prop_assert!(register(answer).is_err());
    }

    /// Nothing signs an attestation of format none. What is changed in it is refused, or makes the
    /// passkey another one, of which the true key is no part; or it is a part that says nothing.
    #[test]
    fn a_changed_registration_never_speaks_for_another_ceremony(change in change()) {
        let mut authenticator = authenticator(Kind::EdDsa);
        let answer = authenticator.create(&create("new"));
        let bytes = |name: &str| data_encoding::BASE64URL_NOPAD.decode(answer["response"][name].as_str().unwrap().as_bytes()).unwrap();
        let client_data = change.apply(&bytes("clientDataJSON"));
        if register(authenticator.created(&client_data, &bytes("attestationObject"))).is_ok() {
            let read: Value = serde_json::from_slice(&client_data).unwrap();
            prop_assert_eq!(&read["type"], "webauthn.create");
            prop_assert_eq!(&read["challenge"], "new");
            prop_assert_eq!(&read["origin"], ORIGIN);
        }
        let attestation = change.apply(&bytes("attestationObject"));
        if let Ok(passkey) = register(authenticator.created(&bytes("clientDataJSON"), &attestation)) {
            prop_assert_eq!(&passkey.credential_id, &authenticator.credential_id);
            let same_key = passkey.public_key == encoded(&authenticator.cose());
            let used = assert(authenticator.get(&json!({ "challenge": "use" })), &passkey);
            prop_assert!(same_key || used == Err(Refused::Signature) || used == Err(Refused::Backup));
        }
    }

    #[test]
    fn no_bytes_make_a_parser_panic(bytes: Vec<u8>, prefix in 0..3_u8) {
        let _ = cbor(&mut bytes.as_slice());
        let _ = CoseKey::parse(&bytes);
        let mut data = authenticator(Kind::EdDsa).data(None);
        data[32] = [0xc1, 0x41, 0x81][usize::from(prefix)];
        data.extend(&bytes);
        let _ = AuthenticatorData::parse(&data);
        let key = authenticator(Kind::EdDsa);
        let client_data = key.client_data("webauthn.create", "new");
        prop_assert!(register(key.created(&client_data, &bytes)).is_err());
        prop_assert!(register(key.created(&bytes, &bytes)).is_err());
    }

    #[test]
    fn no_json_makes_the_readers_panic(text in "\\PC{0,64}") {
        for name in ["rawId", "type", "response"] {
            let mut answer = authenticator(Kind::EdDsa).create(&create("new"));
            answer[name] = text.as_str().into();
            let _ = Registration::read(answer.clone());
            let _ = Assertion::read(answer);
        }
    }
}
