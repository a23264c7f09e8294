//! Tokens that are almost right.

use serde_json::{Value, json};

use super::*;
use crate::vault::SigningKey;

const NOW: i64 = 1_800_000_000;

fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32]).unwrap()
}

fn jwk(key: &SigningKey) -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "kid": "1", "use": "sig", "x": BASE64URL_NOPAD.encode(key.public()) })
}

fn claims() -> Value {
    json!({ "iss": "https://idp.example", "aud": "praxis", "sub": "ada", "exp": NOW + 300, "iat": NOW, "nonce": "n" })
}

fn token(key: &SigningKey, header: &Value, claims: &str) -> String {
    let part = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    let signed = format!("{}.{}", part(&header.to_string()), part(claims));
    format!("{signed}.{}", BASE64URL_NOPAD.encode(&key.sign(signed.as_bytes())))
}

fn judged(header: &Value, claims: &str, jwk: Value) -> Result<Vouched, &'static str> {
    let acr = ["urn:mfa".to_owned()];
    let expected = Expected {
        issuer: "https://idp.example",
        client_id: "praxis",
        nonce: "n",
        multi_factor_acr: &acr,
        now: DateTime::from_timestamp(NOW, 0).unwrap(),
    };
    let token = token(&key(), header, claims);
    let parsed = Unverified::parse(&token).ok_or("malformed")?;
    parsed.verify(&serde_json::from_value(jwk).unwrap(), &expected)
}

fn with(name: &str, value: Value) -> Result<Vouched, &'static str> {
    let mut changed = claims();
    changed[name] = value;
    judged(&json!({ "alg": "EdDSA", "kid": "1" }), &changed.to_string(), jwk(&key()))
}

#[test]
fn a_token_says_whom_the_provider_vouches_for() {
    let plain = with("sub", json!("ada")).unwrap();
    assert_eq!(plain, Vouched { subject: "ada".to_owned(), multi_factor: false, at: None });
    assert!(with("acr", json!("urn:mfa")).unwrap().multi_factor);
    assert!(!with("acr", json!("urn:other")).unwrap().multi_factor);
    for (methods, several) in [
        (json!(["pwd"]), false),
        (json!(["pwd", "pin"]), false),
        (json!(["otp", "hwk"]), false),
        (json!(["pwd", "otp"]), true),
        (json!(["hwk", "fpt"]), true),
        (json!(["mfa"]), true),
        (json!([]), false),
    ] {
        assert_eq!(with("amr", methods.clone()).unwrap().multi_factor, several, "{methods}");
    }
    assert_eq!(with("auth_time", json!(NOW - 60)).unwrap().at.unwrap().timestamp(), NOW - 60);
}

#[test]
fn what_it_says_has_to_be_meant_for_us_and_now() {
    for (name, value, why) in [
        ("iss", json!("https://idp.example/"), "the issuer is another"),
        ("aud", json!("other"), "the token is for somebody else"),
        ("aud", json!(["praxis", "other"]), "the token is for somebody else"),
        ("aud", json!([]), "the token is for somebody else"),
        ("azp", json!("other"), "the token is for somebody else"),
        ("nonce", json!("m"), "the nonce is another"),
        ("nonce", Value::Null, "the nonce is another"),
        ("exp", json!(NOW - 60), "the token has expired"),
        ("iat", json!(NOW + 61), "the token was issued at another time"),
        ("iat", json!(NOW - 661), "the token was issued at another time"),
        ("iat", json!(i64::MAX), "a time is out of range"),
        ("exp", json!("tomorrow"), "the claims are malformed"),
        ("sub", json!(""), "the subject is malformed"),
        ("sub", json!("x".repeat(256)), "the subject is malformed"),
        ("sub", json!(5), "the claims are malformed"),
    ] {
        assert_eq!(with(name, value.clone()), Err(why), "{name}: {value}");
    }
    assert!(with("aud", json!(["praxis"])).is_ok());
    assert!(with("exp", json!(NOW - 59)).is_ok());
    let twice = claims().to_string().replacen('{', r#"{"sub":"eve","#, 1);
    let header = json!({ "alg": "EdDSA", "kid": "1" });
    assert_eq!(judged(&header, &twice, jwk(&key())), Err("the claims are malformed"));
    let party = json!({ "iss": "https://idp.example", "aud": ["praxis", "other"], "azp": "praxis", "sub": "ada",
        "exp": NOW + 300, "iat": NOW, "nonce": "n" });
    assert!(judged(&header, &party.to_string(), jwk(&key())).is_ok());
}

#[test]
fn the_signature_has_to_be_of_a_key_that_fits() {
    let claims = claims().to_string();
    for header in [
        json!({ "alg": "none" }),
        json!({ "alg": "HS256", "kid": "1" }),
        json!({ "alg": "RS512", "kid": "1" }),
        json!({ "alg": "EdDSA", "kid": "1", "crit": ["b64"] }),
        json!({ "kid": "1" }),
    ] {
        assert_eq!(judged(&header, &claims, jwk(&key())), Err("malformed"), "{header}");
    }
    let header = json!({ "alg": "EdDSA", "kid": "1" });
    let other = SigningKey::from_seed(&[8; 32]).unwrap();
    assert_eq!(judged(&header, &claims, jwk(&other)), Err("the signature is wrong"));
    for (name, value) in
        [("use", json!("enc")), ("alg", json!("ES256")), ("kid", json!("2")), ("crv", json!("Ed448"))]
    {
        let mut changed = jwk(&key());
        changed[name] = value;
        assert!(judged(&header, &claims, changed).is_err(), "{name}");
    }
    // A token that says it is RSA's, for a key that is not.
    assert!(judged(&json!({ "alg": "RS256", "kid": "1" }), &claims, jwk(&key())).is_err());
}
