//! What mailed links lead to: joining, a new password, signing in without one.
//!
//! Opening a link is a GET and does nothing: it gets a page that holds no secret, for the secret stands
//! behind the `#` and is sent to nobody. Programs that look at every link in a mail use none up. What
//! counts is the POST that the page sends. Asking for a link is answered the same, and not before a
//! fixed time has passed, whether anybody has the address or not.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension, Json, Router,
    extract::{State, rejection::JsonRejection},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use praxis_domain::{
    Error, ViolationCode,
    identity::{self, Device},
};
use praxis_graphql::error::{self, Code};
use praxis_platform::{OpFactory, access::Actor, session::SessionKind, tenancy::Tenant};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};
use zeroize::Zeroizing;

use super::{answer, malformed};
use crate::http::{credential, gateway::Edge, hygiene::RequestId, refused::Refused, throttle::Attempt};

/// Longer than asking takes, so that its time tells nothing.
const NOT_BEFORE: Duration = Duration::from_millis(300);
/// What the device keeps that asked to sign in.
const DEVICE: &str = "__Host-praxis-link";

/// RFC 5321 allows no longer address.
const MAX_EMAIL: usize = 320;
const EXPECTED: &str = "The body has to be JSON with the fields of this request.";

/// The page needs its own script and style, and may speak to nobody else.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
);
const REFERRER_POLICY: HeaderName = HeaderName::from_static("referrer-policy");

pub(super) fn router() -> Router<Arc<Edge>> {
    Router::new()
        .route("/auth/invitation", get(page).post(accept_invitation))
        .route("/auth/password-reset", get(page).post(request_reset))
        .route("/auth/password-reset/confirm", post(reset_password))
        .route("/auth/password", post(change_password))
        .route("/auth/magic-link", get(page).post(request_sign_in))
        .route("/auth/magic-link/confirm", post(sign_in))
        .route("/auth/link.js", get(file("text/javascript; charset=utf-8", include_str!("link.js"))))
        .route("/auth/link.css", get(file("text/css; charset=utf-8", include_str!("link.css"))))
}

async fn page() -> Response {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (headers, file("text/html; charset=utf-8", include_str!("link.html"))).into_response()
}

fn file(media_type: &'static str, text: &'static str) -> impl IntoResponse + Clone {
    ([(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, "no-store")], text)
}

#[derive(Deserialize)]
struct Address {
    email: String,
}

#[derive(Deserialize)]
struct NewPassword {
    token: String,
    password: String,
}

#[derive(Deserialize)]
struct OwnPassword {
    current: String,
    password: String,
}

#[derive(Deserialize)]
struct SignInLink {
    token: String,
    /// How the session is carried.
    #[serde(default)]
    session: Carried,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Carried {
    #[default]
    Cookie,
    Bearer,
}

type Body<T> = Result<Json<T>, JsonRejection>;

/// Makes the account of an invitation.
async fn accept_invitation(
    State(edge): State<Arc<Edge>>,
    Extension(tenant): Extension<Arc<Tenant>>,
    Extension(RequestId(id)): Extension<RequestId>,
    parts: Parts,
    body: Body<NewPassword>,
) -> Response {
    let done = async {
        let NewPassword { token, password } = read(body)?;
        let password = Zeroizing::new(password);
        let joined = identity::accept_invitation(&edge.system(&tenant, &parts), &token, &password).await;
        let user = joined.map_err(|error| told(error, &id))?;
        Ok((StatusCode::CREATED, Json(json!({ "email": user.email }))).into_response())
    };
    done.await.unwrap_or_else(|refused: Told| refused.response(&id))
}

/// Mails a link for a new password.
async fn request_reset(
    State(edge): State<Arc<Edge>>,
    Extension(tenant): Extension<Arc<Tenant>>,
    Extension(RequestId(id)): Extension<RequestId>,
    parts: Parts,
    body: Body<Address>,
) -> Response {
    let done = edge.asked(&tenant, &parts, body, async |system, email| {
        identity::request_reset(&system, &email).await.map(|()| HeaderMap::new())
    });
    done.await.unwrap_or_else(|refused| refused.response(&id))
}

/// Sets a new password by a mailed link; opens no session.
async fn reset_password(
    State(edge): State<Arc<Edge>>,
    Extension(tenant): Extension<Arc<Tenant>>,
    Extension(RequestId(id)): Extension<RequestId>,
    parts: Parts,
    body: Body<NewPassword>,
) -> Response {
    let done = async {
        let NewPassword { token, password } = read(body)?;
        let password = Zeroizing::new(password);
        let set = identity::reset_password(&edge.system(&tenant, &parts), &token, &password).await;
        set.map_err(|error| told(error, &id))?;
        edge.authenticator.forget(tenant.id);
        Ok(StatusCode::NO_CONTENT.into_response())
    };
    done.await.unwrap_or_else(|refused: Told| refused.response(&id))
}

/// Changes the password of whoever is signed in and knows the present one.
async fn change_password(
    State(edge): State<Arc<Edge>>,
    Extension(tenant): Extension<Arc<Tenant>>,
    Extension(RequestId(id)): Extension<RequestId>,
    parts: Parts,
    body: Body<OwnPassword>,
) -> Response {
    let done = async {
        let actor = edge.actor(&parts, &tenant).await.map_err(Told::Refused)?;
        let actor = actor.ok_or(Told::Refused(Refused::UNAUTHENTICATED))?;
        let OwnPassword { current, password } = read(body)?;
        let (current, password) = (Zeroizing::new(current), Zeroizing::new(password));
        // Whoever finds a session open must not guess on; the account's own sign-in is not slowed by it.
        let guesses = format!("own password of {}", actor.key_owner());
        let attempt = Attempt::new(tenant.id, &guesses, None);
        if let Some(wait) = edge.throttle.wait(&attempt) {
            let message = "There were too many wrong passwords.";
            let refused = Refused::new(StatusCode::TOO_MANY_REQUESTS, Code::Throttled, message);
            return Err(Told::Refused(refused.later(wait.as_secs())));
        }
        // Counted beforehand, so that guesses sent at once count as well.
        edge.throttle.failed(&attempt);
        let factory = edge.factory(&tenant, actor, edge.request_info(&parts));
        let changed = identity::change_password(&factory, &current, &password).await;
        // What failed for another reason said nothing about the password, and forgives nothing.
        let known = match &changed {
            Ok(_) => true,
            Err(Error::Violated(violations)) => violations.iter().all(|one| one.path != ["current"]),
            Err(Error::Failure(_)) => false,
        };
        if known {
            edge.throttle.succeeded(&attempt);
        }
        changed.map_err(|error| told(error, &id))?;
        edge.authenticator.forget(tenant.id);
        Ok(StatusCode::NO_CONTENT.into_response())
    };
    done.await.unwrap_or_else(|refused: Told| refused.response(&id))
}

/// Mails a link to sign in with, good on this device only.
async fn request_sign_in(
    State(edge): State<Arc<Edge>>,
    Extension(tenant): Extension<Arc<Tenant>>,
    Extension(RequestId(id)): Extension<RequestId>,
    parts: Parts,
    body: Body<Address>,
) -> Response {
    let done = edge.asked(&tenant, &parts, body, async |system, email| {
        let Device(secret) = identity::request_sign_in(&system, &email).await?;
        let age = identity::LINK_VALID.num_seconds();
        let cookie =
            format!("{DEVICE}={}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={age}", *secret);
        let cookie = HeaderValue::try_from(cookie).map(|cookie| (header::SET_COOKIE, cookie));
        Ok(cookie.into_iter().collect())
    });
    done.await.unwrap_or_else(|refused| refused.response(&id))
}

/// Signs in by a mailed link, on the device that asked for it.
async fn sign_in(
    State(edge): State<Arc<Edge>>,
    Extension(tenant): Extension<Arc<Tenant>>,
    Extension(RequestId(id)): Extension<RequestId>,
    parts: Parts,
    body: Body<SignInLink>,
) -> Response {
    let done = async {
        let SignInLink { token, session } = read(body)?;
        // Without the cookie it is another device, to which the link is good for nothing.
        let device = credential::cookie(&parts.headers, DEVICE).map_err(Told::Refused)?.unwrap_or_default();
        let kind = match session {
            Carried::Cookie => SessionKind::Cookie,
            Carried::Bearer => SessionKind::Bearer,
        };
        let system = edge.system(&tenant, &parts);
        let next = identity::sign_in_by_link(&system, &token, &Device(Zeroizing::new(device)), kind).await;
        Ok(answer::sign_in(&next.map_err(|error| told(error, &id))?, &id))
    };
    done.await.unwrap_or_else(|refused: Told| refused.response(&id))
}

impl Edge {
    fn system(&self, tenant: &Arc<Tenant>, parts: &Parts) -> OpFactory {
        self.factory(tenant, Arc::new(Actor::system()), self.request_info(parts))
    }

    /// Somebody asks for a link. How long it takes, and what is answered, does not depend on the address.
    async fn asked(
        &self,
        tenant: &Arc<Tenant>,
        parts: &Parts,
        body: Body<Address>,
        ask: impl AsyncFnOnce(OpFactory, String) -> Result<HeaderMap, Error>,
    ) -> Result<Response, Told> {
        let not_before = Instant::now() + NOT_BEFORE;
        let Address { email } = read(body)?;
        if email.len() > MAX_EMAIL {
            return Err(Told::Refused(Refused::bad(EXPECTED)));
        }
        let attempt = Attempt::new(tenant.id, &email, self.client_address(parts));
        if let Some(wait) = self.links_asked.wait(&attempt) {
            let message = "Too many links were asked for.";
            let refused = Refused::new(StatusCode::TOO_MANY_REQUESTS, Code::Throttled, message);
            return Err(Told::Refused(refused.later(wait.as_secs())));
        }
        self.links_asked.failed(&attempt);
        let outcome = ask(self.system(tenant, parts), email).await;
        sleep_until(not_before).await;
        match outcome {
            Ok(headers) => {
                Ok((StatusCode::ACCEPTED, headers, Json(json!({ "accepted": true }))).into_response())
            }
            Err(Error::Failure(failure)) => Err(Told::Refused(failure.into())),
            Err(Error::Violated(_)) => Err(Told::Refused(Refused::bad(EXPECTED))),
        }
    }
}

/// Why it was not done.
enum Told {
    Refused(Refused),
    Violated(Box<Response>),
}

impl Told {
    fn response(self, id: &str) -> Response {
        match self {
            Self::Refused(refused) => refused.response(id),
            Self::Violated(response) => *response,
        }
    }
}

fn read<T: DeserializeOwned>(body: Body<T>) -> Result<T, Told> {
    body.map(|Json(body)| body).map_err(|rejection| Told::Refused(malformed(&rejection, EXPECTED)))
}

/// What the person at the screen can put right, in the form of every error.
fn told(error: Error, id: &str) -> Told {
    let violations = match error {
        Error::Failure(failure) => return Told::Refused(failure.into()),
        Error::Violated(violations) => violations,
    };
    let entries: Vec<_> = violations
        .iter()
        .map(|violation| {
            let mut entry = error::entry(Code::BadUserInput, &violation.message, id);
            if let Some(extensions) = entry.get_mut("extensions").and_then(Value::as_object_mut) {
                extensions.insert("violation".to_owned(), name(violation.code).into());
                extensions.insert("field".to_owned(), violation.path.join(".").into());
            }
            entry
        })
        .collect();
    let response = (StatusCode::BAD_REQUEST, Json(json!({ "errors": entries }))).into_response();
    Told::Violated(Box::new(response))
}

fn name(code: ViolationCode) -> &'static str {
    match code {
        ViolationCode::TooShort => "TOO_SHORT",
        ViolationCode::TooLong => "TOO_LONG",
        ViolationCode::TooCommon => "TOO_COMMON",
        ViolationCode::NotFound => "NOT_FOUND",
        ViolationCode::AlreadyExists => "ALREADY_EXISTS",
        _ => "INVALID",
    }
}
