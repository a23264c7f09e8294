//! Access tokens: who, at which clinic, in which session; signed by the clinic's key, for ten minutes.
//!
//! A JWT (RFC 7519) in the profile of RFC 9068, with one header per key. The header is compared as
//! text and never interpreted, so there is no algorithm to choose and none to confuse. A valid token
//! proves only that we once wrote it: whether its session still lives is looked up all the same.

use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64URL_NOPAD;
use praxis_entity::ids::{SessionId, UserId};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    Failure, Op,
    vault::{SigningKey, verify_ed25519},
};

const ISSUER: &str = "urn:praxis";
const LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// Servers' clocks may differ by this much.
const SKEW: TimeDelta = TimeDelta::seconds(30);
/// Ours have about 420 characters; a longer one is not even decoded.
const LONGEST: usize = 1024;

/// What a token says. A claim that is missing, unknown or given twice makes it no token of ours.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    sid: String,
    iat: i64,
    exp: i64,
    jti: String,
}

/// A new access token.
pub(super) struct AccessToken {
    pub(super) token: Zeroizing<String>,
    pub(super) expires_at: DateTime<Utc>,
}

/// Whom a genuine token names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) user: UserId,
    pub(super) session: SessionId,
    pub(super) expires_at: DateTime<Utc>,
}

/// Writes a token that ends no later than its session.
pub(super) async fn issue<Mode>(
    op: &Op<Mode>,
    user: UserId,
    session: SessionId,
    session_end: DateTime<Utc>,
) -> Result<AccessToken, Failure> {
    let key = op.tenant_key().await?.token_signer()?;
    let expires_at = session_end.min(op.now() + LIFETIME);
    let claims = Claims {
        iss: ISSUER.to_owned(),
        aud: op.tenant().id.to_string(),
        sub: user.to_string(),
        sid: session.to_string(),
        iat: op.now().timestamp(),
        exp: expires_at.timestamp(),
        jti: op.new_id().simple().to_string(),
    };
    let token = sign(&key, &claims)?;
    let expires_at = DateTime::from_timestamp(claims.exp, 0).unwrap_or(expires_at);
    Ok(AccessToken { token, expires_at })
}

/// Whom the token names, if this clinic wrote it and it is not over.
pub(super) async fn verify<Mode>(op: &Op<Mode>, token: &str) -> Result<Named, Failure> {
    let key = op.tenant_key().await?.token_signer()?;
    read(&key, &op.tenant().id.to_string(), op.now(), token).ok_or(Failure::Unauthenticated)
}

fn header(key: &SigningKey) -> String {
    let header = format!(r#"{{"alg":"EdDSA","kid":"{}","typ":"at+jwt"}}"#, key.id());
    BASE64URL_NOPAD.encode(header.as_bytes())
}

fn sign(key: &SigningKey, claims: &Claims) -> Result<Zeroizing<String>, Failure> {
    let claims = serde_json::to_vec(claims).map_err(|error| Failure::Internal(error.to_string()))?;
    let mut token = Zeroizing::new(format!("{}.{}", header(key), BASE64URL_NOPAD.encode(&claims)));
    let signature = BASE64URL_NOPAD.encode(&key.sign(token.as_bytes()));
    token.push('.');
    token.push_str(&signature);
    Ok(token)
}

fn read(key: &SigningKey, audience: &str, now: DateTime<Utc>, token: &str) -> Option<Named> {
    if token.len() > LONGEST {
        return None;
    }
    let (signed, signature) = token.rsplit_once('.')?;
    let (stated, claims) = signed.split_once('.')?;
    if stated != header(key) {
        return None;
    }
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).ok()?;
    if !verify_ed25519(key.public(), signed.as_bytes(), &signature) {
        return None;
    }
    let claims: Claims = serde_json::from_slice(&BASE64URL_NOPAD.decode(claims.as_bytes()).ok()?).ok()?;
    let issued_at = DateTime::from_timestamp(claims.iat, 0)?;
    let expires_at = DateTime::from_timestamp(claims.exp, 0)?;
    let good = claims.iss == ISSUER
        && claims.aud == audience
        && issued_at <= now + SKEW
        && now < expires_at
        && expires_at - issued_at <= LIFETIME;
    good.then_some(Named { user: claims.sub.parse().ok()?, session: claims.sid.parse().ok()?, expires_at })
}

#[cfg(test)]
mod tests;
