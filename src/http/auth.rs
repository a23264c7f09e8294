//! Signing in and out over plain HTTP: for clients that have no session yet.
//!
//! Each way in proves something and hands over to `session::proceed`; what that comes to is
//! answered by [`answer`], the same for all of them.

mod answer;
mod call;
mod links;
mod oidc;
mod page;
mod password;
mod second_factor;
mod session;

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, rejection::JsonRejection},
    http::StatusCode,
    routing::{get, post},
};
use praxis_graphql::error::Code;

use super::{gateway::Edge, refused::Refused};

/// More than any e-mail and password take.
const MAX_BODY: usize = 8 * 1024;

/// The routes under `/auth`.
pub fn router(edge: Arc<Edge>) -> Router {
    Router::new()
        .route("/auth/login", post(password::login))
        .route("/auth/session", post(password::open_session))
        .route("/auth/refresh", post(session::refresh))
        .route("/auth/logout", post(session::logout))
        .route("/auth/whoami", get(session::whoami))
        .merge(links::router())
        .route("/auth/providers", get(oidc::providers))
        .route("/auth/oidc/start", get(oidc::start))
        .route("/auth/oidc/link", post(oidc::link))
        .route("/auth/oidc/invitation", post(oidc::join))
        .route("/auth/oidc/callback", get(oidc::callback))
        .merge(second_factor::router())
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(edge)
}

/// Why a body is not what it has to be; `expected` says what that is.
pub(super) fn malformed(rejection: &JsonRejection, expected: &'static str) -> Refused {
    match rejection.status() {
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            let message = "The body has to be application/json.";
            Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::BadUserInput, message)
        }
        StatusCode::PAYLOAD_TOO_LARGE => {
            Refused::new(StatusCode::PAYLOAD_TOO_LARGE, Code::RequestTooLarge, "The body is too large.")
        }
        _ => Refused::bad(expected),
    }
}
