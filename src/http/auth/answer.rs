//! What a client gets for having signed in: a cookie that no script can read, or tokens.

use axum::{
    Json,
    http::{HeaderName, header},
    response::{IntoResponse, Response},
};
use praxis_platform::session::{SessionKind, SignIn, SignedIn};
use serde_json::json;

use super::second_factor;
use crate::http::credential::COOKIE;

/// The answer to whatever signing in came to.
pub(super) fn sign_in(outcome: &SignIn, request_id: &str) -> Response {
    match outcome {
        SignIn::Opened(signed_in) => opened(signed_in),
        SignIn::SecondFactor(asked) => second_factor::asks(asked, request_id),
    }
}

/// The answer to an opened or renewed session.
pub(super) fn opened(signed_in: &SignedIn) -> Response {
    match signed_in.kind {
        SessionKind::Cookie => {
            let body = json!({
                "expiresAt": signed_in.expires_at,
                "enrolmentRequired": signed_in.must_enrol,
            });
            ([cookie(signed_in)], Json(body)).into_response()
        }
        SessionKind::Bearer => Json(json!({
            "tokenType": "Bearer",
            "accessToken": *signed_in.token,
            "expiresAt": signed_in.expires_at,
            "refreshToken": signed_in.refresh_token.as_deref(),
            "sessionExpiresAt": signed_in.session_expires_at,
            "enrolmentRequired": signed_in.must_enrol,
        }))
        .into_response(),
    }
}

/// The header that gives a browser its session.
pub(super) fn cookie(signed_in: &SignedIn) -> (HeaderName, String) {
    (header::SET_COOKIE, format!("{COOKIE}={}; Path=/; Secure; HttpOnly; SameSite=Lax", *signed_in.token))
}

/// The header that takes it away.
pub(super) fn no_cookie() -> (HeaderName, String) {
    (header::SET_COOKIE, format!("{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"))
}
