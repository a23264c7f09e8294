//! GraphiQL, the explorer of the API in the browser, embedded in the binary.
//!
//! `npm ci && npm run build` in `web/graphiql` builds it. A binary built without that output
//! serves a plain page with the same abilities in small, so the Rust build never needs node.
//! Both load nothing from elsewhere and run under one strict content security policy.

use axum::{
    Router,
    body::Body,
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::map_response,
    response::{IntoResponse, Response},
    routing::get,
};
use rust_embed::RustEmbed;

/// Styles may be inline because Monaco, GraphiQL's editor, generates them; scripts never are.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src 'self'; \
     frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
);
const NOT_CACHED: &str = "no-store";
/// The build puts a content hash into the name of every asset.
const CACHED_FOR_GOOD: &str = "public, max-age=31536000, immutable";

const PLAIN_HTML: &str = include_str!("graphiql/plain.html");
const PLAIN_JS: &str = include_str!("graphiql/plain.js");
const PLAIN_CSS: &str = include_str!("graphiql/plain.css");

#[derive(RustEmbed)]
#[folder = "web/graphiql/dist"]
#[allow_missing = true]
#[compression = "zstd"]
struct Built;

/// Serves GraphiQL under `/explorer`.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/explorer", get(index))
        .route("/explorer/assets/{*path}", get(asset))
        .route("/explorer/plain.js", get(plain("text/javascript; charset=utf-8", PLAIN_JS)))
        .route("/explorer/plain.css", get(plain("text/css; charset=utf-8", PLAIN_CSS)))
        .route_layer(map_response(protect))
}

async fn index(request: HeaderMap) -> Response {
    embedded("index.html", &request, NOT_CACHED)
        .unwrap_or_else(|| plain("text/html; charset=utf-8", PLAIN_HTML).into_response())
}

async fn asset(Path(path): Path<String>, request: HeaderMap) -> Response {
    embedded(&format!("assets/{path}"), &request, CACHED_FOR_GOOD)
        .unwrap_or_else(|| ([(header::CACHE_CONTROL, NOT_CACHED)], StatusCode::NOT_FOUND).into_response())
}

fn plain(media_type: &'static str, text: &'static str) -> impl IntoResponse + Clone {
    ([(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, NOT_CACHED)], text)
}

/// A file of the build, as it lies in the binary where the client can decompress it.
fn embedded(path: &str, request: &HeaderMap, caching: &'static str) -> Option<Response> {
    let (media_type, encoding, body) = match Built::compressed(path) {
        Some(file) if accepts(request, file.content_encoding()) => (
            file.metadata.mimetype().to_owned(),
            Some([(header::CONTENT_ENCODING, file.content_encoding())]),
            Body::from(file.data.compressed()),
        ),
        _ => {
            let file = Built::get(path)?;
            (file.metadata.mimetype().to_owned(), None, Body::from(file.data.into_owned()))
        }
    };
    let caching = [(header::CACHE_CONTROL, caching), (header::VARY, "accept-encoding")];
    Some(([(header::CONTENT_TYPE, media_type)], caching, encoding, body).into_response())
}

/// Whether `Accept-Encoding` names the encoding without ruling it out by a weight of zero.
fn accepts(request: &HeaderMap, encoding: &str) -> bool {
    request
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|offer| {
            let (name, weight) = offer.split_once(';').unwrap_or((offer, "q=1"));
            let weight = weight.trim().strip_prefix("q=").and_then(|q| q.parse::<f32>().ok());
            name.trim().eq_ignore_ascii_case(encoding) && weight.is_some_and(|q| q > 0.0)
        })
}

async fn protect(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

#[cfg(test)]
mod tests;
