//! Signing in by e-mail and password.
//!
//! Wrong e-mail, wrong password and disabled account are one answer, in the same time.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{State, rejection::JsonRejection},
    http::{StatusCode, request::Parts},
    response::Response,
};
use praxis_graphql::error::Code;
use praxis_platform::{
    access::Actor,
    session::{self, SessionKind, SignIn},
    tenancy::Tenant,
};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{answer, malformed};
use crate::http::{gateway::Edge, hygiene::RequestId, refused::Refused, throttle::Attempt};

/// RFC 5321 allows no longer address.
const MAX_EMAIL: usize = 320;
const EXPECTED: &str = "The body has to be JSON with email and password.";
const WRONG: Refused = Refused::new(
    StatusCode::UNAUTHORIZED,
    Code::Unauthenticated,
    "The e-mail address or the password is wrong.",
);

#[derive(Deserialize)]
pub(super) struct Login {
    email: String,
    password: String,
}

type Body = Result<Json<Login>, JsonRejection>;

/// Tokens for the `Authorization` header.
pub(super) async fn login(
    State(edge): State<Arc<Edge>>,
    Extension(tenant): Extension<Arc<Tenant>>,
    Extension(RequestId(id)): Extension<RequestId>,
    parts: Parts,
    body: Body,
) -> Response {
    let outcome = edge.sign_in(&tenant, &parts, body, SessionKind::Bearer).await;
    outcome.map_or_else(|refused| refused.response(&id), |outcome| answer::sign_in(&outcome, &id))
}

/// A session for a browser, in a cookie that no script can read.
pub(super) async fn open_session(
    State(edge): State<Arc<Edge>>,
    Extension(tenant): Extension<Arc<Tenant>>,
    Extension(RequestId(id)): Extension<RequestId>,
    parts: Parts,
    body: Body,
) -> Response {
    let outcome = edge.sign_in(&tenant, &parts, body, SessionKind::Cookie).await;
    outcome.map_or_else(|refused| refused.response(&id), |outcome| answer::sign_in(&outcome, &id))
}

impl Edge {
    async fn sign_in(
        &self,
        tenant: &Arc<Tenant>,
        parts: &Parts,
        body: Body,
        kind: SessionKind,
    ) -> Result<SignIn, Refused> {
        let Json(Login { email, password }) = body.map_err(|rejection| malformed(&rejection, EXPECTED))?;
        let password = Zeroizing::new(password);
        // Postgres has no text with a zero in it.
        if email.len() > MAX_EMAIL || email.contains('\0') {
            return Err(Refused::bad(EXPECTED));
        }
        let attempt = Attempt::new(tenant.id, &email, self.client_address(parts));
        let system = self.factory(tenant, Arc::new(Actor::system()), self.request_info(parts));
        self.not_throttled(&attempt).inspect_err(|_| system.count_stranger("login.throttled"))?;
        let outcome = session::login(&system, &email, &password, kind).await?;
        self.not_throttled(&attempt)?;
        match outcome {
            Ok(sign_in) => {
                self.throttle.succeeded(&attempt);
                count(match sign_in {
                    SignIn::Opened(_) => "accepted",
                    SignIn::SecondFactor(_) => "first_factor",
                });
                Ok(sign_in)
            }
            Err(session::LoginRefused) => {
                self.throttle.failed(&attempt);
                count("refused");
                Err(WRONG)
            }
        }
    }

    fn not_throttled(&self, attempt: &Attempt) -> Result<(), Refused> {
        let Some(wait) = self.throttle.wait(attempt) else { return Ok(()) };
        count("throttled");
        let message = "There were too many failed attempts to sign in.";
        Err(Refused::new(StatusCode::TOO_MANY_REQUESTS, Code::Throttled, message).later(wait.as_secs()))
    }
}

pub(super) fn count(result: &'static str) {
    ::metrics::counter!("praxis_logins_total", "result" => result).increment(1);
}
