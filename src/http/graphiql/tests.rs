//! Tests of the explorer's routes; they hold with and without the built page.

use super::*;
use axum::http::Request;
use tower::ServiceExt;

async fn send(method: &str, path: &str) -> Response {
    let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    router::<()>().oneshot(request).await.unwrap()
}

fn value(response: &Response, name: header::HeaderName) -> &str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

async fn text(response: Response) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 24).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn every_answer_is_protected_and_typed() {
    for (path, media_type) in [
        ("/explorer", "text/html"),
        ("/explorer/plain.js", "text/javascript"),
        ("/explorer/plain.css", "text/css"),
    ] {
        for method in ["GET", "HEAD"] {
            let response = send(method, path).await;
            assert_eq!(response.status(), StatusCode::OK, "{method} {path}");
            assert!(value(&response, header::CONTENT_TYPE).starts_with(media_type), "{path}");
            assert_eq!(value(&response, header::CACHE_CONTROL), "no-store", "{path}");
            assert_eq!(value(&response, header::X_CONTENT_TYPE_OPTIONS), "nosniff");
            assert_eq!(value(&response, header::REFERRER_POLICY), "no-referrer");
            let policy = value(&response, header::CONTENT_SECURITY_POLICY).to_owned();
            assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
            assert!(!policy.contains("unsafe-eval"), "{policy}");
            assert_eq!(text(response).await.is_empty(), method == "HEAD", "{method} {path}");
        }
    }
}

#[tokio::test]
async fn only_reading_is_allowed() {
    let response = send("POST", "/explorer").await;
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(value(&response, header::X_CONTENT_TYPE_OPTIONS), "nosniff");
}

#[tokio::test]
async fn an_unknown_asset_is_not_found_and_not_cached() {
    for path in ["/explorer/assets/nothing.js", "/explorer/assets/..%2F..%2Fpackage.json"] {
        let response = send("GET", path).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(value(&response, header::CACHE_CONTROL), "no-store");
    }
}

#[tokio::test]
async fn what_the_index_refers_to_is_served() {
    let page = text(send("GET", "/explorer").await).await;
    let references: Vec<&str> = page.split('"').filter(|part| part.starts_with("/explorer/")).collect();
    assert!(references.len() >= 2, "{page}");
    for path in references {
        let response = send("GET", path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(value(&response, header::CACHE_CONTROL).contains("immutable"), path.contains("/assets/"));
    }
}

#[test]
fn the_plain_page_has_nothing_inline() {
    assert!(!PLAIN_HTML.contains("<script>") && !PLAIN_HTML.contains("<style"));
    assert!(!PLAIN_HTML.contains(" style=") && !PLAIN_HTML.contains(" on"));
    assert!(!PLAIN_HTML.contains("://") && !PLAIN_JS.contains("://") && !PLAIN_CSS.contains("://"));
    assert!(!PLAIN_JS.contains("innerHTML"));
}

#[test]
fn encodings_are_negotiated() {
    let accepting = |offers: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(offers));
        accepts(&headers, "zstd")
    };
    assert!(accepting("gzip, deflate, br, zstd"));
    assert!(accepting("gzip;q=0.5, ZSTD;q=0.8"));
    assert!(!accepting("gzip, zstd;q=0"));
    assert!(!accepting("gzip, br"));
    assert!(!accepts(&HeaderMap::new(), "zstd"));
}
