//! Showing a second factor over plain HTTP: to complete a sign-in, to step a session up, or, with a
//! passkey, to sign in by it alone.

use std::sync::Arc;

use axum::{
    Json, Router,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use praxis_graphql::error::{Code, entry};
use praxis_platform::{
    access::FRESH,
    factor::{NotShown, Shown, webauthn::Assertion},
    session::{self, Asked, Method, SessionKind, SignedIn},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    answer::opened,
    call::{Body, Call, read},
    password::count,
};
use crate::http::{gateway::Edge, refused::Refused};

const WRONG: Refused = Refused::new(
    StatusCode::UNAUTHORIZED,
    Code::Unauthenticated,
    "The second factor is not right, or the time to show it is over.",
);
const WRONG_STEP_UP: Refused =
    Refused::new(StatusCode::FORBIDDEN, Code::StepUpRequired, "The second factor is not right.");
const EXPECTED: &str = "The body has to be JSON with one of totp, recoveryCode and passkey.";

/// The routes of second factors under `/auth`.
pub(super) fn router() -> Router<Arc<Edge>> {
    Router::new()
        .route("/auth/second-factor", post(second_factor))
        .route("/auth/second-factor/options", post(second_factor_options))
        .route("/auth/passkey", post(passkey))
        .route("/auth/passkey/options", post(passkey_options))
        .route("/auth/step-up", post(step_up))
        .route("/auth/step-up/options", post(step_up_options))
}

/// What somebody shows: one of the three.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Answer {
    challenge: Option<String>,
    totp: Option<String>,
    recovery_code: Option<String>,
    passkey: Option<Value>,
}

/// A passkey that signs in alone, and the kind of session that is wanted.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Alone {
    passkey: Value,
    #[serde(default)]
    cookie: bool,
}

/// A challenge that somebody was handed, by a link for example.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Handed {
    challenge: String,
}

/// Completes a sign-in that asked for a second factor, with the kind of session it began with.
async fn second_factor(call: Call, body: Body<Answer>) -> Response {
    call.answer(async |call: Call| {
        let answer = read(body, EXPECTED)?;
        let challenge = answer.challenge.clone().ok_or(Refused::bad("The challenge is missing."))?;
        let shown = answer.shown()?;
        let outcome = session::second_factor(&call.system(), &challenge, &shown).await?;
        Ok(opened(&counted(outcome, WRONG)?))
    })
    .await
}

/// What can be shown to answer it.
async fn second_factor_options(call: Call, body: Body<Handed>) -> Response {
    call.answer(async |call: Call| {
        let Handed { challenge } = read(body, "The body has to be JSON with challenge.")?;
        let asked = session::second_factor_options(&call.system(), &challenge).await?.ok_or(WRONG)?;
        Ok(options(&asked))
    })
    .await
}

/// Signs in with a passkey and nothing else.
async fn passkey(call: Call, body: Body<Alone>) -> Response {
    call.answer(async |call: Call| {
        let Alone { passkey, cookie } = read(body, EXPECTED)?;
        let answer = Assertion::read(passkey).map_err(|_| Refused::bad(EXPECTED))?;
        let kind = if cookie { SessionKind::Cookie } else { SessionKind::Bearer };
        let outcome = session::passkey_sign_in(&call.system(), &answer, kind).await?;
        Ok(opened(&counted(outcome, WRONG)?))
    })
    .await
}

/// What a browser asks its passkeys before anybody has said who they are.
async fn passkey_options(call: Call) -> Response {
    call.answer(async |call: Call| Ok(Json(session::passkey_options(&call.system()).await?).into_response()))
        .await
}

/// Opens sensitive actions to a session for a few minutes.
async fn step_up(call: Call, body: Body<Answer>) -> Response {
    call.answer(async |call: Call| {
        let factory = call.signed_in().await?;
        let shown = read(body, EXPECTED)?.shown()?;
        let at = session::step_up(&factory, &shown).await?.map_err(|not| refused(not, WRONG_STEP_UP))?;
        Ok(Json(json!({ "secondFactorAt": at, "freshUntil": at + FRESH })).into_response())
    })
    .await
}

/// What can be shown in this session, and what a browser asks its passkeys.
async fn step_up_options(call: Call) -> Response {
    call.answer(async |call: Call| Ok(options(&session::step_up_options(&call.signed_in().await?).await?)))
        .await
}

fn options(asked: &Asked) -> Response {
    Json(json!({ "methods": names(&asked.methods), "passkey": asked.passkey })).into_response()
}

/// The answer to a right password of somebody who has a second factor: not a session.
pub(super) fn asks(asked: &Asked, request_id: &str) -> Response {
    let message = "Show a second factor: POST /auth/second-factor.";
    let body = json!({
        "mfaRequired": true,
        "challenge": asked.challenge.text(),
        "expiresAt": asked.challenge.expires_at(),
        "methods": names(&asked.methods),
        "passkey": asked.passkey,
        "errors": [entry(Code::SecondFactorRequired, message, request_id)],
    });
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")], Json(body)).into_response()
}

impl Answer {
    fn shown(self) -> Result<Shown, Refused> {
        match (self.totp, self.recovery_code, self.passkey) {
            (Some(code), None, None) => Ok(Shown::Totp(code)),
            (None, Some(code), None) => Ok(Shown::RecoveryCode(code)),
            (None, None, Some(json)) => Assertion::read(json)
                .map(|answer| Shown::Passkey(Box::new(answer)))
                .map_err(|_| Refused::bad(EXPECTED)),
            _ => Err(Refused::bad(EXPECTED)),
        }
    }
}

fn counted(outcome: Result<SignedIn, NotShown>, wrong: Refused) -> Result<SignedIn, Refused> {
    count(if outcome.is_ok() { "accepted" } else { "refused" });
    outcome.map_err(|not| refused(not, wrong))
}

fn refused(not: NotShown, wrong: Refused) -> Refused {
    match not {
        NotShown::Wrong => wrong,
        NotShown::Closed(left) => {
            let message = "There were too many wrong codes.";
            let seconds = left.num_seconds().unsigned_abs().max(1);
            Refused::new(StatusCode::TOO_MANY_REQUESTS, Code::Throttled, message).later(seconds)
        }
    }
}

fn names(methods: &[Method]) -> Vec<&'static str> {
    methods
        .iter()
        .filter_map(|method| match method {
            Method::Totp => Some("TOTP"),
            Method::Passkey => Some("PASSKEY"),
            Method::RecoveryCode => Some("RECOVERY_CODE"),
            _ => None,
        })
        .collect()
}
