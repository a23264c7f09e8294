//! Judging an ID token: whose it is, for whom, about whom, and in answer to which question.
//!
//! OpenID Connect Core 1.0, section 3.1.3.7. The algorithm is taken from a short list and has to be
//! that of the key, so neither `none` nor a symmetric key in disguise gets past the parser.

use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;

use crate::vault::PublicKey;

/// The provider's clock may differ by this much.
pub(super) const SKEW: TimeDelta = TimeDelta::seconds(60);
/// A token was made for this very sign-in.
const OLDEST: TimeDelta = TimeDelta::minutes(10);
const LONGEST: usize = 16 * 1024;

/// A public key of a provider (RFC 7517).
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Key {
    kty: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default, rename = "use")]
    usage: Option<String>,
    #[serde(default)]
    alg: Option<String>,
    #[serde(default)]
    crv: Option<String>,
    #[serde(default)]
    n: Option<String>,
    #[serde(default)]
    e: Option<String>,
    #[serde(default)]
    x: Option<String>,
    #[serde(default)]
    y: Option<String>,
}

impl Key {
    /// Whether a token with this header may have been signed by the key.
    pub(super) fn fits(&self, header: &Header) -> bool {
        let kind = match header.alg {
            Algorithm::Rs256 => self.kty == "RSA",
            Algorithm::Es256 => self.kty == "EC" && self.crv.as_deref() == Some("P-256"),
            Algorithm::EdDsa => self.kty == "OKP" && self.crv.as_deref() == Some("Ed25519"),
        };
        kind && self.usage.as_deref().is_none_or(|usage| usage == "sig")
            && self.alg.as_deref().is_none_or(|alg| alg == header.alg.name())
            && header.kid.as_ref().is_none_or(|kid| self.kid.as_ref() == Some(kid))
    }

    fn public(&self, algorithm: Algorithm) -> Option<PublicKey> {
        let bytes = |part: &Option<String>| BASE64URL_NOPAD.decode(part.as_deref()?.as_bytes()).ok();
        Some(match algorithm {
            Algorithm::Rs256 => PublicKey::Rsa { n: bytes(&self.n)?, e: bytes(&self.e)? },
            Algorithm::Es256 => PublicKey::P256 { x: bytes(&self.x)?, y: bytes(&self.y)? },
            Algorithm::EdDsa => PublicKey::Ed25519(bytes(&self.x)?),
        })
    }
}

/// The algorithms that are believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum Algorithm {
    #[serde(rename = "RS256")]
    Rs256,
    #[serde(rename = "ES256")]
    Es256,
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl Algorithm {
    fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
}

/// What a token says of its signature.
#[derive(Debug, Deserialize)]
pub(super) struct Header {
    alg: Algorithm,
    #[serde(default)]
    kid: Option<String>,
    /// Something that has to be understood, and is not.
    #[serde(default)]
    crit: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// What is read of a token. A claim given twice makes it malformed.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    #[serde(default)]
    azp: Option<String>,
    exp: i64,
    iat: i64,
    #[serde(default)]
    nonce: Option<String>,
    #[serde(default)]
    acr: Option<String>,
    #[serde(default)]
    amr: Vec<String>,
    #[serde(default)]
    auth_time: Option<i64>,
}

/// What the token has to say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    pub(super) multi_factor_acr: &'a [String],
    pub(super) now: DateTime<Utc>,
}

/// Whom a provider vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Vouched {
    pub(super) subject: String,
    /// The provider asked for several factors.
    pub(super) multi_factor: bool,
    /// When it asked, if it says so.
    pub(super) at: Option<DateTime<Utc>>,
}

/// A token whose signature has not been judged.
pub(super) struct Unverified<'a> {
    pub(super) header: Header,
    signed: &'a str,
    claims: &'a str,
    signature: Vec<u8>,
}

impl<'a> Unverified<'a> {
    /// Takes a token apart.
    pub(super) fn parse(token: &'a str) -> Option<Self> {
        if token.len() > LONGEST {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let header: Header = serde_json::from_slice(&BASE64URL_NOPAD.decode(header.as_bytes()).ok()?).ok()?;
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).ok()?;
        header.crit.is_none().then_some(Self { header, signed, claims, signature })
    }

    /// What the token says, if the key signed it and it says what it has to; else why not.
    pub(super) fn verify(&self, key: &Key, expected: &Expected<'_>) -> Result<Vouched, &'static str> {
        let public = key.public(self.header.alg).ok_or("the key is malformed")?;
        if !key.fits(&self.header) || !public.verify(self.signed.as_bytes(), &self.signature) {
            return Err("the signature is wrong");
        }
        let claims =
            BASE64URL_NOPAD.decode(self.claims.as_bytes()).map_err(|_| "the claims are malformed")?;
        let claims: Claims = serde_json::from_slice(&claims).map_err(|_| "the claims are malformed")?;
        claims.judge(expected)
    }
}

impl Claims {
    fn judge(self, expected: &Expected<'_>) -> Result<Vouched, &'static str> {
        let at = |seconds: i64| DateTime::from_timestamp(seconds, 0).ok_or("a time is out of range");
        let for_us = match &self.aud {
            Audience::One(audience) => audience == expected.client_id,
            Audience::Several(all) => {
                all.iter().any(|audience| audience == expected.client_id)
                    && (all.len() == 1 || self.azp.is_some())
            }
        };
        let (issued_at, expires_at) = (at(self.iat)?, at(self.exp)?);
        if self.iss != expected.issuer {
            return Err("the issuer is another");
        }
        if !for_us || self.azp.as_ref().is_some_and(|party| party != expected.client_id) {
            return Err("the token is for somebody else");
        }
        if self.nonce.as_deref() != Some(expected.nonce) {
            return Err("the nonce is another");
        }
        if expires_at + SKEW <= expected.now {
            return Err("the token has expired");
        }
        if issued_at > expected.now + SKEW || issued_at + OLDEST + SKEW < expected.now {
            return Err("the token was issued at another time");
        }
        if !(1..=255).contains(&self.sub.len()) || self.sub.contains('\0') {
            return Err("the subject is malformed");
        }
        let stated = self.acr.is_some_and(|acr| expected.multi_factor_acr.contains(&acr));
        Ok(Vouched {
            subject: self.sub,
            multi_factor: stated || several_factors(&self.amr),
            at: self.auth_time.map(at).transpose()?,
        })
    }
}

/// Whether methods (RFC 8176) amount to several factors: said so, or of two kinds.
fn several_factors(methods: &[String]) -> bool {
    let any = |known: &[&str]| methods.iter().any(|method| known.contains(&method.as_str()));
    let known = any(&["pwd", "pin", "kba"]);
    let had = any(&["otp", "hwk", "swk", "sc", "pop"]);
    let been = any(&["fpt", "face", "iris", "retina", "vbm"]);
    any(&["mfa"]) || [known, had, been].into_iter().filter(|kind| *kind).count() > 1
}

#[cfg(test)]
mod tests;
