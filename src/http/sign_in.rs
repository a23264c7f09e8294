//! The page on which people sign in and see to their second factors, under `/sign-in`.
//!
//! Plain files, embedded: no build, nothing inline, nothing from elsewhere.

use axum::{
    Router,
    http::{HeaderValue, header},
    middleware::map_response,
    response::{IntoResponse, Response},
    routing::get,
};

const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; \
     frame-ancestors 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'",
);
/// Passkeys are for this page alone, and not for one inside another.
const PERMISSIONS_POLICY: HeaderValue =
    HeaderValue::from_static("publickey-credentials-create=(self), publickey-credentials-get=(self)");

const HTML: &str = "text/html; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";

/// Serves the page.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/sign-in", get(file(HTML, include_str!("../../web/sign-in/index.html"))))
        .route("/sign-in/page.css", get(file(CSS, include_str!("../../web/sign-in/page.css"))))
        .route("/sign-in/main.js", get(file(JS, include_str!("../../web/sign-in/main.js"))))
        .route("/sign-in/api.js", get(file(JS, include_str!("../../web/sign-in/api.js"))))
        .route("/sign-in/passkey.js", get(file(JS, include_str!("../../web/sign-in/passkey.js"))))
        .route("/sign-in/qr.js", get(file(JS, include_str!("../../web/sign-in/qr.js"))))
        .route_layer(map_response(protect))
}

fn file(media_type: &'static str, text: &'static str) -> impl IntoResponse + Clone {
    ([(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, "no-store")], text)
}

async fn protect(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    headers.insert("permissions-policy", PERMISSIONS_POLICY);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

#[cfg(test)]
mod tests {
    use axum::{
        body::{Body, to_bytes},
        http::{Request, StatusCode},
    };
    use tower::ServiceExt;

    use super::*;

    async fn read(path: &str) -> (Response, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let (parts, body) = router::<()>().oneshot(request).await.unwrap().into_parts();
        let text = String::from_utf8(to_bytes(body, 1 << 20).await.unwrap().to_vec()).unwrap();
        (Response::from_parts(parts, Body::empty()), text)
    }

    #[tokio::test]
    async fn everything_the_page_refers_to_is_served_and_protected() {
        let (_, page) = read("/sign-in").await;
        let (_, main) = read("/sign-in/main.js").await;
        let links = page.split('"').filter(|text| text.starts_with("/sign-in/")).map(str::to_owned);
        let modules = main.split('\'').filter_map(|text| text.strip_prefix("./"));
        let files: Vec<_> = links.chain(modules.map(|name| format!("/sign-in/{name}"))).collect();
        assert_eq!(files.len(), 5, "{files:?}");
        for path in files.iter().map(String::as_str).chain(["/sign-in"]) {
            let (response, text) = read(path).await;
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            assert!(!text.is_empty(), "{path}");
            let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
            assert_eq!(response.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        }
        // What the policy forbids is not tried either.
        for inline in ["<script>", "<style>", " style=", " onclick=", "javascript:"] {
            assert!(!page.contains(inline), "{inline}");
        }
    }
}
