//! A refusal as a page, for whoever sits before a browser that was sent here; programs get the error as any other.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};

use crate::http::refused::Refused;

const PAGE: &str = include_str!("refused.html");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
);

/// The refusal, in the form that was asked for.
pub(super) fn refused(refused: Refused, asked: &HeaderMap, request_id: &str) -> Response {
    let mut response = refused.response(request_id);
    if wants_page(asked) {
        *response.body_mut() = Body::from(PAGE.replace("{message}", refused.message()));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HTML);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    }
    response
}

/// Browsers that are sent somewhere ask for HTML by name.
fn wants_page(asked: &HeaderMap) -> bool {
    let accepted = asked.get(header::ACCEPT).and_then(|accepted| accepted.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("text/html"))
}
