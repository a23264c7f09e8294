//! `POST /auth/token`: a program shows its id and its secret and gets a token for ten minutes, as
//! OAuth 2 has it (RFC 6749, client credentials).
//!
//! Wrong id, wrong secret and retired program are one answer. The answers are those of OAuth, since
//! it is OAuth libraries that read them.

use std::sync::Arc;

use axum::{
    Extension, Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State, rejection::BytesRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::post,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use praxis_platform::{access::Actor, client, tenancy::Tenant};
use serde_json::json;
use zeroize::Zeroizing;

use super::{gateway::Edge, hygiene::RequestId, throttle::Attempt};

/// More than an id and a secret take.
const MAX_BODY: usize = 4 * 1024;

/// The route.
pub fn router(edge: Arc<Edge>) -> Router {
    Router::new().route("/auth/token", post(token)).layer(DefaultBodyLimit::max(MAX_BODY)).with_state(edge)
}

/// What a program shows.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    id: String,
    secret: Zeroizing<String>,
}

/// Why there is no token, in the words of RFC 6749.
#[derive(Debug, PartialEq, Eq)]
enum Refused {
    InvalidRequest,
    InvalidClient,
    UnsupportedGrantType,
    Throttled(u64),
}

async fn token(
    State(edge): State<Arc<Edge>>,
    Extension(tenant): Extension<Arc<Tenant>>,
    Extension(RequestId(id)): Extension<RequestId>,
    parts: Parts,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let shown = body.map_err(|_| Refused::InvalidRequest).and_then(|body| shown(&parts.headers, &body));
    let shown = match shown {
        Ok(shown) => shown,
        Err(refused) => return refused.into_response(),
    };
    let attempt = Attempt::new(tenant.id, &shown.id, edge.client_address(&parts));
    if let Some(wait) = edge.throttle.wait(&attempt) {
        return Refused::Throttled(wait.as_secs()).into_response();
    }
    let system = edge.factory(&tenant, Arc::new(Actor::system()), edge.request_info(&parts));
    match client::issue(&system, &shown.id, &shown.secret).await {
        Ok(Ok(token)) => {
            edge.throttle.succeeded(&attempt);
            let expires_in = client::TOKEN_LIFE.num_seconds();
            Json(json!({ "access_token": *token, "token_type": "Bearer", "expires_in": expires_in }))
                .into_response()
        }
        Ok(Err(client::ClientRefused)) => {
            edge.throttle.failed(&attempt);
            Refused::InvalidClient.into_response()
        }
        Err(failure) => super::refused::Refused::from(failure).response(&id),
    }
}

/// Id and secret from the `Authorization` header or from the body, not from both.
fn shown(headers: &HeaderMap, body: &[u8]) -> Result<Shown, Refused> {
    let form = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"));
    if !form {
        return Err(Refused::InvalidRequest);
    }
    let (mut grant, mut id, mut secret) = (None, None, None);
    for (name, value) in url::form_urlencoded::parse(body) {
        let slot = match &*name {
            "grant_type" => &mut grant,
            "client_id" => &mut id,
            "client_secret" => &mut secret,
            // What it may do is set where it was made; RFC 6749 lets a server pass over the rest.
            _ => continue,
        };
        if slot.replace(value.into_owned()).is_some() {
            return Err(Refused::InvalidRequest);
        }
    }
    match grant.as_deref() {
        Some("client_credentials") => {}
        Some(_) => return Err(Refused::UnsupportedGrantType),
        None => return Err(Refused::InvalidRequest),
    }
    match (basic(headers)?, id, secret) {
        (Some(shown), id, None) if id.as_ref().is_none_or(|id| *id == shown.id) => Ok(shown),
        (None, Some(id), Some(secret)) => Ok(Shown { id, secret: Zeroizing::new(secret) }),
        (None, _, _) => Err(Refused::InvalidClient),
        (Some(_), _, _) => Err(Refused::InvalidRequest),
    }
}

fn basic(headers: &HeaderMap) -> Result<Option<Shown>, Refused> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let read = || {
        let (scheme, encoded) = value.to_str().ok()?.split_once(' ')?;
        let plain = scheme.eq_ignore_ascii_case("basic").then(|| BASE64_STANDARD.decode(encoded.trim()))?;
        let plain = Zeroizing::new(String::from_utf8(plain.ok()?).ok()?);
        let (id, secret) = plain.split_once(':')?;
        Some(Shown { id: id.to_owned(), secret: Zeroizing::new(secret.to_owned()) })
    };
    read().map(Some).ok_or(Refused::InvalidClient)
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, error) = match self {
            Self::InvalidRequest => (StatusCode::BAD_REQUEST, "invalid_request"),
            Self::InvalidClient => (StatusCode::UNAUTHORIZED, "invalid_client"),
            Self::UnsupportedGrantType => (StatusCode::BAD_REQUEST, "unsupported_grant_type"),
            // RFC 6749 has no word for it; the status says it.
            Self::Throttled(_) => (StatusCode::TOO_MANY_REQUESTS, "invalid_client"),
        };
        let mut response = (status, Json(json!({ "error": error }))).into_response();
        match self {
            Self::InvalidClient => {
                let scheme = HeaderValue::from_static("Basic realm=\"token\"");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
            }
            Self::Throttled(seconds) => {
                response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            }
            Self::InvalidRequest | Self::UnsupportedGrantType => {}
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&'static str, &str)], body: &str) -> Result<(String, String), Refused> {
        let mut map = HeaderMap::new();
        map.insert(
            "content-type",
            HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8"),
        );
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        shown(&map, body.as_bytes()).map(|shown| (shown.id, shown.secret.to_string()))
    }

    #[test]
    fn a_program_shows_its_secret_in_one_place() {
        let both = Ok(("cli_1".to_owned(), "a+b".to_owned()));
        let basic = format!("Basic {}", BASE64_STANDARD.encode("cli_1:a+b"));
        let basic = [("authorization", basic.as_str())];
        let grant = "grant_type=client_credentials";
        assert_eq!(read(&[], &format!("{grant}&client_id=cli_1&client_secret=a%2Bb&scope=x")), both);
        assert_eq!(read(&basic, grant), both);
        assert_eq!(read(&basic, &format!("{grant}&client_id=cli_1")), both);
        for (headers, body, refused) in [
            (&[][..], "", Refused::InvalidRequest),
            (&[], grant, Refused::InvalidClient),
            (&[], "grant_type=password&client_id=a&client_secret=b", Refused::UnsupportedGrantType),
            (&[], &format!("{grant}&client_id=a&client_id=b&client_secret=c"), Refused::InvalidRequest),
            (&basic, &format!("{grant}&client_id=other"), Refused::InvalidRequest),
            (&basic, &format!("{grant}&client_secret=b"), Refused::InvalidRequest),
            (&[("authorization", "Bearer x")], grant, Refused::InvalidClient),
            (&[("content-type", "application/json")], grant, Refused::InvalidRequest),
        ] {
            assert_eq!(read(headers, body), Err(refused), "{body}");
        }
    }
}
