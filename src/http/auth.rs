//! Signing in and out over plain HTTP: for clients that have no session yet.
//!
//! Wrong e-mail, wrong password and disabled account are one answer, in the same time.

use std::sync::Arc;

use axum::{
    Extension, Json, Router,
    extract::{DefaultBodyLimit, State, rejection::JsonRejection},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use praxis_graphql::error::Code;
use praxis_platform::{
    access::Actor,
    session::{self, SessionKind, SignedIn},
    tenancy::Tenant,
};
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::{credential::COOKIE, gateway::Edge, hygiene::RequestId, refused::Refused, throttle::Attempt};

/// More than any e-mail and password take.
const MAX_BODY: usize = 8 * 1024;
/// RFC 5321 allows no longer address.
const MAX_EMAIL: usize = 320;

const WRONG: Refused = Refused::new(
    StatusCode::UNAUTHORIZED,
    Code::Unauthenticated,
    "The e-mail address or the password is wrong.",
);
const MALFORMED: Refused = Refused::bad("The body has to be JSON with email and password.");

/// The routes under `/auth`.
pub fn router(edge: Arc<Edge>) -> Router {
    Router::new()
        .route("/auth/login", post(login))
        .route("/auth/session", post(open_session))
        .route("/auth/logout", post(logout))
        .route("/auth/whoami", get(whoami))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(edge)
}

#[derive(Deserialize)]
struct Login {
    email: String,
    password: String,
}

type Body = Result<Json<Login>, JsonRejection>;

/// A token for the `Authorization` header.
async fn login(
    State(edge): State<Arc<Edge>>,
    Extension(tenant): Extension<Arc<Tenant>>,
    Extension(RequestId(id)): Extension<RequestId>,
    parts: Parts,
    body: Body,
) -> Response {
    match edge.sign_in(&tenant, &parts, body, SessionKind::Bearer).await {
        Ok(signed_in) => Json(json!({ "accessToken": *signed_in.token, "expiresAt": signed_in.expires_at }))
            .into_response(),
        Err(refused) => refused.response(&id),
    }
}

/// A session for a browser, in a cookie that no script can read.
async fn open_session(
    State(edge): State<Arc<Edge>>,
    Extension(tenant): Extension<Arc<Tenant>>,
    Extension(RequestId(id)): Extension<RequestId>,
    parts: Parts,
    body: Body,
) -> Response {
    match edge.sign_in(&tenant, &parts, body, SessionKind::Cookie).await {
        Ok(signed_in) => {
            let body = Json(json!({ "expiresAt": signed_in.expires_at }));
            let cookie = format!("{COOKIE}={}; Path=/; Secure; HttpOnly; SameSite=Lax", *signed_in.token);
            ([(header::SET_COOKIE, cookie)], body).into_response()
        }
        Err(refused) => refused.response(&id),
    }
}

/// Ends the session; without one there is nothing to end.
async fn logout(
    State(edge): State<Arc<Edge>>,
    Extension(tenant): Extension<Arc<Tenant>>,
    Extension(RequestId(id)): Extension<RequestId>,
    parts: Parts,
) -> Response {
    match edge.sign_out(&tenant, &parts).await {
        Ok(()) | Err(Refused::UNAUTHENTICATED) => {
            let cleared = format!("{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
            (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cleared)]).into_response()
        }
        Err(refused) => refused.response(&id),
    }
}

/// Who the session belongs to.
async fn whoami(
    State(edge): State<Arc<Edge>>,
    Extension(tenant): Extension<Arc<Tenant>>,
    Extension(RequestId(id)): Extension<RequestId>,
    parts: Parts,
) -> Response {
    match edge.actor(&parts, &tenant).await.and_then(|actor| actor.ok_or(Refused::UNAUTHENTICATED)) {
        Ok(actor) => Json(json!({
            "displayName": actor.display_name,
            "roles": actor.roles,
            "tenant": tenant.display_name,
            "tenantSlug": tenant.slug,
        }))
        .into_response(),
        Err(refused) => refused.response(&id),
    }
}

impl Edge {
    async fn sign_in(
        &self,
        tenant: &Arc<Tenant>,
        parts: &Parts,
        body: Body,
        kind: SessionKind,
    ) -> Result<SignedIn, Refused> {
        let Json(Login { email, password }) = body.map_err(|rejection| malformed(&rejection))?;
        let password = Zeroizing::new(password);
        // Postgres has no text with a zero in it.
        if email.len() > MAX_EMAIL || email.contains('\0') {
            return Err(MALFORMED);
        }
        let attempt = Attempt::new(tenant.id, &email, self.client_address(parts));
        self.not_throttled(&attempt)?;
        let system = self.factory(tenant, Arc::new(Actor::system()), self.request_info(parts));
        let outcome = session::login(&system, &email, &password, kind).await?;
        self.not_throttled(&attempt)?;
        match outcome {
            Ok(signed_in) => {
                self.throttle.succeeded(&attempt);
                count("accepted");
                Ok(signed_in)
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

    async fn sign_out(&self, tenant: &Arc<Tenant>, parts: &Parts) -> Result<(), Refused> {
        let Some(actor) = self.actor(parts, tenant).await? else { return Ok(()) };
        session::logout(&self.factory(tenant, actor, self.request_info(parts))).await?;
        self.authenticator.forget(tenant.id);
        Ok(())
    }
}

fn malformed(rejection: &JsonRejection) -> Refused {
    match rejection.status() {
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            let message = "The body has to be application/json.";
            Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::BadUserInput, message)
        }
        StatusCode::PAYLOAD_TOO_LARGE => {
            Refused::new(StatusCode::PAYLOAD_TOO_LARGE, Code::RequestTooLarge, "The body is too large.")
        }
        _ => MALFORMED,
    }
}

fn count(result: &'static str) {
    ::metrics::counter!("praxis_logins_total", "result" => result).increment(1);
}
