//! What holds for every request and every response, whatever route they belong to.
//!
//! Outermost layer: gives the request an id, refuses requests whose meaning depends on who reads
//! them, turns a panic into an answer, and adds the security headers.

use std::{panic::AssertUnwindSafe, sync::Arc};

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Version, header},
    middleware::Next,
    response::Response,
};
use futures::FutureExt;
use praxis_graphql::error::{Code, INTERNAL_MESSAGE};

use super::graphql::refusal;

/// Finds a request in the log; given to every caller in `x-request-id`.
#[derive(Clone, Debug)]
pub struct RequestId(pub Arc<str>);

/// Where request ids come from: version 7 UUIDs, except in tests.
pub type IdSource = Arc<dyn Fn() -> String + Send + Sync>;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// More bytes of header than any honest client sends.
const MAX_HEADERS: usize = 32 * 1024;

const SECURITY: [(HeaderName, HeaderValue); 5] = [
    (header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=63072000; includeSubDomains")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// The outermost middleware.
pub async fn guard(State(next_id): State<IdSource>, mut request: Request<Body>, next: Next) -> Response {
    let id: Arc<str> = next_id().into();
    request.extensions_mut().insert(RequestId(Arc::clone(&id)));
    let mut response = match ambiguity(&request) {
        Some((status, message)) => {
            let mut response = refusal(status, Code::BadUserInput, message, &id);
            // The rest of the connection may be the smuggled part.
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            response
        }
        None => AssertUnwindSafe(next.run(request)).catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!(request_id = &*id, "a handler panicked");
            refusal(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, INTERNAL_MESSAGE, &id)
        }),
    };
    let headers = response.headers_mut();
    for (name, value) in SECURITY {
        // A page with its own policy, such as GraphiQL, keeps it.
        headers.entry(name).or_insert(value);
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    response
}

/// Requests that a proxy and this server could understand differently.
fn ambiguity(request: &Request<Body>) -> Option<(StatusCode, &'static str)> {
    let headers = request.headers();
    if matches!(*request.method(), Method::TRACE | Method::CONNECT) {
        return Some((StatusCode::METHOD_NOT_ALLOWED, "This method is not supported."));
    }
    if !one_host(request) {
        return Some((StatusCode::BAD_REQUEST, "The request has to name exactly one host."));
    }
    let framed_twice =
        headers.contains_key(header::TRANSFER_ENCODING) && headers.contains_key(header::CONTENT_LENGTH);
    if framed_twice || headers.get_all(header::CONTENT_LENGTH).iter().count() > 1 {
        return Some((StatusCode::BAD_REQUEST, "The request states its length twice."));
    }
    (size(headers) > MAX_HEADERS)
        .then_some((StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers are too large."))
}

/// The host decides which clinic is meant: it may be stated once, or equally in both places.
fn one_host(request: &Request<Body>) -> bool {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let authority = request.uri().authority().map(|authority| authority.as_str().as_bytes());
    match (hosts.next(), hosts.next(), authority) {
        (Some(host), None, Some(authority)) => host.as_bytes().eq_ignore_ascii_case(authority),
        (Some(host), None, None) => !host.is_empty(),
        (None, None, Some(_)) => request.version() >= Version::HTTP_2,
        _ => false,
    }
}

fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

#[cfg(test)]
mod tests {
    use axum::{Extension, Router, body::to_bytes, http::request::Builder, middleware, routing::get};
    use tower::ServiceExt;

    use super::*;

    async fn fetch(path: &str) -> (StatusCode, HeaderMap, String) {
        let ids: IdSource = Arc::new(|| "id-1".to_owned());
        let app = Router::new()
            .route("/id", get(async |Extension(RequestId(id)): Extension<RequestId>| id.to_string()))
            .route("/page", get(async || [(header::CONTENT_SECURITY_POLICY, "default-src 'self'")]))
            .route("/bug", get(panics))
            .layer(middleware::from_fn_with_state(ids, guard));
        let request = Request::get(path).header("host", "a").body(Body::empty()).expect("a request");
        let (parts, body) = app.oneshot(request).await.expect("a response").into_parts();
        let body = to_bytes(body, 10_000).await.expect("a body");
        (parts.status, parts.headers, String::from_utf8_lossy(&body).into_owned())
    }

    async fn panics() {
        panic!("the secret");
    }

    #[tokio::test]
    async fn every_response_carries_its_id_and_the_security_headers() {
        for path in ["/id", "/bug", "/nowhere"] {
            let (_, headers, _) = fetch(path).await;
            assert_eq!(headers.get(REQUEST_ID).expect("an id"), "id-1", "{path}");
            for (name, value) in SECURITY {
                assert_eq!(headers.get(&name), Some(&value), "{path} {name}");
            }
        }
        assert_eq!(fetch("/id").await.2, "id-1");
        let (_, headers, _) = fetch("/page").await;
        let policies: Vec<_> = headers.get_all(header::CONTENT_SECURITY_POLICY).iter().collect();
        assert_eq!(policies, ["default-src 'self'"]);
    }

    #[tokio::test]
    async fn a_panic_is_an_answer_that_tells_nothing() {
        let (status, headers, body) = fetch("/bug").await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(headers.get(header::CONTENT_TYPE).expect("a type"), "application/json; charset=utf-8");
        assert!(body.contains("\"INTERNAL\"") && body.contains("id-1"), "{body}");
        assert!(!body.contains("secret"), "{body}");
    }

    fn judged(build: impl FnOnce(Builder) -> Builder) -> Option<u16> {
        let request = build(Request::builder()).body(Body::empty()).expect("a request");
        ambiguity(&request).map(|(status, _)| status.as_u16())
    }

    #[test]
    fn a_request_names_one_host() {
        assert_eq!(judged(|r| r.header("host", "a.example")), None);
        assert_eq!(judged(|r| r.uri("http://a.example/").header("host", "A.example")), None);
        assert_eq!(judged(|r| r.uri("http://a.example/").version(Version::HTTP_2)), None);
        assert_eq!(judged(|r| r), Some(400));
        assert_eq!(judged(|r| r.header("host", "")), Some(400));
        assert_eq!(judged(|r| r.header("host", "a").header("host", "a")), Some(400));
        assert_eq!(judged(|r| r.uri("http://b.example/").header("host", "a.example")), Some(400));
    }

    #[test]
    fn a_request_has_one_length_and_modest_headers() {
        let honest = |r: Builder| r.header("host", "a");
        assert_eq!(judged(|r| honest(r).header("content-length", "1")), None);
        let both = |r| honest(r).header("content-length", "1").header("transfer-encoding", "chunked");
        assert_eq!(judged(both), Some(400));
        assert_eq!(judged(|r| honest(r).header("x", "a".repeat(40_000))), Some(431));
        assert_eq!(judged(|r| honest(r).method("TRACE")), Some(405));
    }
}
