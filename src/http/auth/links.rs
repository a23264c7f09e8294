//! What mailed links lead to: joining, a new password, signing in without one.
//!
//! Opening a link is a GET and does nothing: it gets a page that holds no secret, for the secret stands
//! behind the `#` and is sent to nobody. Programs that look at every link in a mail use none up. What
//! counts is the POST that the page sends. Asking for a link is answered the same, and not before a
//! fixed time has passed, whether anybody has the address or not.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use praxis_domain::{
    Error,
    identity::{self, Device},
};
use praxis_graphql::error::Code;
use praxis_platform::{OpFactory, session::SessionKind};
use serde::Deserialize;
use serde_json::json;
use tokio::time::{Instant, sleep_until};
use zeroize::Zeroizing;

use super::{
    answer,
    call::{Body, Call, Told, read},
};
use crate::http::{credential, gateway::Edge, refused::Refused, throttle::Attempt};

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

/// Makes the account of an invitation.
async fn accept_invitation(call: Call, body: Body<NewPassword>) -> Response {
    call.answer(async |call: Call| {
        let NewPassword { token, password } = read(body, EXPECTED)?;
        let user = identity::accept_invitation(&call.system(), &token, &Zeroizing::new(password)).await?;
        Ok((StatusCode::CREATED, Json(json!({ "email": user.email }))).into_response())
    })
    .await
}

/// Mails a link for a new password.
async fn request_reset(call: Call, body: Body<Address>) -> Response {
    call.answer(async |call: Call| {
        asked(&call, body, async |system: OpFactory, email: String| {
            identity::request_reset(&system, &email).await.map(|()| HeaderMap::new())
        })
        .await
    })
    .await
}

/// Sets a new password by a mailed link; opens no session.
async fn reset_password(call: Call, body: Body<NewPassword>) -> Response {
    call.answer(async |call: Call| {
        let NewPassword { token, password } = read(body, EXPECTED)?;
        identity::reset_password(&call.system(), &token, &Zeroizing::new(password)).await?;
        Ok(StatusCode::NO_CONTENT.into_response())
    })
    .await
}

/// Changes the password of whoever is signed in and knows the present one.
async fn change_password(call: Call, body: Body<OwnPassword>) -> Response {
    call.answer(async |call: Call| {
        let factory = call.signed_in().await?;
        let OwnPassword { current, password } = read(body, EXPECTED)?;
        let (current, password) = (Zeroizing::new(current), Zeroizing::new(password));
        // Whoever finds a session open must not guess on; the account's own sign-in is not slowed by it.
        let guesses = format!("own password of {}", factory.actor().key_owner());
        let attempt = Attempt::new(call.tenant.id, &guesses, None);
        if let Some(wait) = call.edge.throttle.wait(&attempt) {
            return Err(too_many("There were too many wrong passwords.", wait).into());
        }
        // Counted beforehand, so that guesses sent at once count as well.
        call.edge.throttle.failed(&attempt);
        let changed = identity::change_password(&factory, &current, &password).await;
        // What failed for another reason said nothing about the password, and forgives nothing.
        let known = match &changed {
            Ok(_) => true,
            Err(Error::Violated(violations)) => violations.iter().all(|one| one.path != ["current"]),
            Err(Error::Failure(_)) => false,
        };
        if known {
            call.edge.throttle.succeeded(&attempt);
        }
        changed?;
        Ok(StatusCode::NO_CONTENT.into_response())
    })
    .await
}

/// Mails a link to sign in with, good on this device only.
async fn request_sign_in(call: Call, body: Body<Address>) -> Response {
    call.answer(async |call: Call| {
        asked(&call, body, async |system: OpFactory, email: String| {
            let Device(secret) = identity::request_sign_in(&system, &email).await?;
            let age = identity::LINK_VALID.num_seconds();
            let cookie =
                format!("{DEVICE}={}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={age}", *secret);
            let cookie = HeaderValue::try_from(cookie).map(|cookie| (header::SET_COOKIE, cookie));
            Ok(cookie.into_iter().collect())
        })
        .await
    })
    .await
}

/// Signs in by a mailed link, on the device that asked for it.
async fn sign_in(call: Call, body: Body<SignInLink>) -> Response {
    call.answer(async |call: Call| {
        let SignInLink { token, session } = read(body, EXPECTED)?;
        // Without the cookie it is another device, to which the link is good for nothing.
        let device = credential::cookie(&call.parts.headers, DEVICE)?.unwrap_or_default();
        let kind = match session {
            Carried::Cookie => SessionKind::Cookie,
            Carried::Bearer => SessionKind::Bearer,
        };
        let device = Device(Zeroizing::new(device));
        let next = identity::sign_in_by_link(&call.system(), &token, &device, kind).await?;
        Ok(answer::sign_in(&next, &call.id))
    })
    .await
}

/// Somebody asks for a link. How long it takes, and what is answered, does not depend on the address.
async fn asked(
    call: &Call,
    body: Body<Address>,
    ask: impl AsyncFnOnce(OpFactory, String) -> Result<HeaderMap, Error>,
) -> Result<Response, Told> {
    let not_before = Instant::now() + NOT_BEFORE;
    let Address { email } = read(body, EXPECTED)?;
    if email.len() > MAX_EMAIL {
        return Err(Refused::bad(EXPECTED).into());
    }
    let attempt = Attempt::new(call.tenant.id, &email, call.edge.client_address(&call.parts));
    if let Some(wait) = call.edge.links_asked.wait(&attempt) {
        return Err(too_many("Too many links were asked for.", wait).into());
    }
    call.edge.links_asked.failed(&attempt);
    let outcome = ask(call.system(), email).await;
    sleep_until(not_before).await;
    match outcome {
        Ok(headers) => Ok((StatusCode::ACCEPTED, headers, Json(json!({ "accepted": true }))).into_response()),
        Err(Error::Failure(failure)) => Err(failure.into()),
        Err(Error::Violated(_)) => Err(Refused::bad(EXPECTED).into()),
    }
}

fn too_many(message: &'static str, wait: Duration) -> Refused {
    Refused::new(StatusCode::TOO_MANY_REQUESTS, Code::Throttled, message).later(wait.as_secs())
}
