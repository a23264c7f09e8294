//! Tokens that are almost right.

use proptest::prelude::*;
use ring::hmac;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::vault::TenantKey;

const AUDIENCE: &str = "ten_01jd3k5n8re6ktp1rb6z9q4x2m";

fn key() -> SigningKey {
    TenantKey::generate(Uuid::from_u128(1), 1).unwrap().token_signer().unwrap()
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn named() -> Named {
    Named {
        user: UserId(Uuid::from_u128(5)),
        session: SessionId(Uuid::from_u128(6)),
        expires_at: now() + LIFETIME,
    }
}

fn claims() -> Value {
    json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": named().user.to_string(), "sid": named().session.to_string(),
        "iat": now().timestamp(), "exp": named().expires_at.timestamp(), "jti": "1" })
}

fn raw(key: &SigningKey, header: &str, claims: &str) -> String {
    let signed = format!("{header}.{}", BASE64URL_NOPAD.encode(claims.as_bytes()));
    format!("{signed}.{}", BASE64URL_NOPAD.encode(&key.sign(signed.as_bytes())))
}

fn seen(key: &SigningKey, token: &str) -> Option<Named> {
    read(key, AUDIENCE, now(), token)
}

#[test]
fn what_was_signed_is_read_until_it_is_over() {
    let key = key();
    let claims: Claims = serde_json::from_value(claims()).unwrap();
    let token = sign(&key, &claims).unwrap();
    assert_eq!(seen(&key, &token), Some(named()));
    for (seconds, good) in [(-31, false), (-30, true), (599, true), (600, false), (601, false)] {
        let at = now() + TimeDelta::seconds(seconds);
        assert_eq!(read(&key, AUDIENCE, at, &token).is_some(), good, "{seconds}");
    }
    assert_eq!(read(&key, "ten_00000000000000000000000000", now(), &token), None);
    assert_eq!(seen(&self::key(), &token), None);
}

#[test]
fn other_claims_are_refused_even_when_signed() {
    let key = key();
    let refused = |name: &str, value: Value| {
        let mut changed = claims();
        changed[name] = value;
        let token = raw(&key, &header(&key), &changed.to_string());
        assert_eq!(seen(&key, &token), None, "{changed}");
    };
    refused("iss", json!("urn:other"));
    refused("aud", json!([AUDIENCE]));
    refused("sub", json!("pat_01jd3k5n8re6ktp1rb6z9q4x2m"));
    refused("sid", json!(named().user.to_string()));
    refused("iat", json!(now().timestamp() + 60));
    refused("iat", json!("0"));
    refused("exp", json!(now().timestamp() + 601));
    refused("exp", json!(now().timestamp()));
    refused("exp", json!(1e300));
    refused("exp", json!(i64::MAX));
    refused("admin", json!(true));
    for name in ["iss", "aud", "sub", "sid", "iat", "exp", "jti"] {
        let mut fewer = claims();
        fewer.as_object_mut().unwrap().remove(name);
        assert_eq!(seen(&key, &raw(&key, &header(&key), &fewer.to_string())), None, "{name}");
        let twice = claims().to_string().replacen('{', &format!("{{\"{name}\":{},", claims()[name]), 1);
        assert_eq!(seen(&key, &raw(&key, &header(&key), &twice)), None, "{twice}");
    }
    let trailing = format!("{} {{}}", claims());
    assert_eq!(seen(&key, &raw(&key, &header(&key), &trailing)), None);
}

#[test]
fn no_other_header_is_ours() {
    let key = key();
    let (id, claims) = (key.id(), claims().to_string());
    for other in [
        r#"{"alg":"none"}"#.to_owned(),
        format!(r#"{{"alg":"none","kid":"{id}","typ":"at+jwt"}}"#),
        format!(r#"{{"alg":"HS256","kid":"{id}","typ":"at+jwt"}}"#),
        format!(r#"{{"alg":"EdDSA","kid":"{id}","typ":"JWT"}}"#),
        format!(r#"{{"alg":"EdDSA","kid":"{id}","typ":"at+jwt","jwk":{{}}}}"#),
        format!(r#"{{ "alg":"EdDSA","kid":"{id}","typ":"at+jwt"}}"#),
        r#"{"alg":"EdDSA","kid":"0000000000000000","typ":"at+jwt"}"#.to_owned(),
        r#"{"alg":"EdDSA","typ":"at+jwt"}"#.to_owned(),
    ] {
        let header = BASE64URL_NOPAD.encode(other.as_bytes());
        assert_eq!(seen(&key, &raw(&key, &header, &claims)), None, "{other}");
        // Without a signature, and with one that anybody can make who knows the public key.
        let signed = format!("{header}.{}", BASE64URL_NOPAD.encode(claims.as_bytes()));
        assert_eq!(seen(&key, &format!("{signed}.")), None, "{other}");
        let forged = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.public()), signed.as_bytes());
        assert_eq!(seen(&key, &format!("{signed}.{}", BASE64URL_NOPAD.encode(forged.as_ref()))), None);
    }
    let padded = raw(&key, &format!("{}=", header(&key)), &claims);
    assert_eq!(seen(&key, &padded), None);
}

#[test]
fn every_character_counts() {
    let key = key();
    let token = raw(&key, &header(&key), &claims().to_string());
    assert!(seen(&key, &token).is_some());
    for at in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        assert_eq!(seen(&key, &String::from_utf8(changed).unwrap()), None, "character {at}");
        assert_eq!(seen(&key, &token[..at]), None, "length {at}");
    }
    for garbage in ["=", ".", " ", "A", ".e30", "\n", "\u{0}"] {
        assert_eq!(seen(&key, &format!("{token}{garbage}")), None, "{garbage:?} behind");
        assert_eq!(seen(&key, &format!("{garbage}{token}")), None, "{garbage:?} before");
    }
    let huge = raw(&key, &header(&key), &format!("{}{}", claims(), " ".repeat(1_000)));
    assert_eq!(seen(&key, &huge), None);
}

proptest! {
    #[test]
    fn any_text_is_refused_without_a_panic(text: String, parts in proptest::collection::vec("[A-Za-z0-9_-]{0,40}", 0..5)) {
        let key = key();
        prop_assert_eq!(seen(&key, &text), None);
        prop_assert_eq!(seen(&key, &parts.join(".")), None);
    }
}
