//! Showing a second factor over plain HTTP: to complete a sign-in, to step a session up, or, with a
//! passkey, to sign in by it alone.

use std::sync::Arc;

use axum::{
    Extension, Json, Router,
    extract::{State, rejection::JsonRejection},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::post,
};
use praxis_graphql::error::{Code, entry};
use praxis_platform::{
    access::{Actor, FRESH},
    factor::{NotShown, Shown, webauthn::Assertion},
    session::{self, Asked, Method, SessionKind, SignedIn},
    tenancy::Tenant,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{answer::opened, malformed, password::count};
use crate::http::{gateway::Edge, hygiene::RequestId, refused::Refused};

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

type Body<T> = Result<Json<T>, JsonRejection>;
type Tenancy = Extension<Arc<Tenant>>;

/// Completes a sign-in that asked for a second factor, with the kind of session it began with.
async fn second_factor(
    State(edge): State<Arc<Edge>>,
    Extension(tenant): Tenancy,
    Extension(RequestId(id)): Extension<RequestId>,
    parts: Parts,
    body: Body<Answer>,
) -> Response {
    let shown = async {
        let Json(answer) = body.map_err(|rejection| malformed(&rejection, EXPECTED))?;
        let challenge = answer.challenge.clone().ok_or(Refused::bad("The challenge is missing."))?;
        let shown = answer.shown()?;
        let system = edge.factory(&tenant, Arc::new(Actor::system()), edge.request_info(&parts));
        counted(session::second_factor(&system, &challenge, &shown).await?, WRONG)
    };
    shown.await.map_or_else(|refused: Refused| refused.response(&id), |signed_in| opened(&signed_in))
}

/// A challenge that somebody was handed, by a link for example.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Handed {
    challenge: String,
}

/// What can be shown to answer it.
async fn second_factor_options(
    State(edge): State<Arc<Edge>>,
    Extension(tenant): Tenancy,
    Extension(RequestId(id)): Extension<RequestId>,
    parts: Parts,
    body: Body<Handed>,
) -> Response {
    let asked = async {
        let expected = "The body has to be JSON with challenge.";
        let Json(Handed { challenge }) = body.map_err(|rejection| malformed(&rejection, expected))?;
        let system = edge.factory(&tenant, Arc::new(Actor::system()), edge.request_info(&parts));
        session::second_factor_options(&system, &challenge).await?.ok_or(WRONG)
    };
    match asked.await {
        Ok(asked) => {
            Json(json!({ "methods": names(&asked.methods), "passkey": asked.passkey })).into_response()
        }
        Err(refused) => Refused::response(refused, &id),
    }
}

/// Signs in with a passkey and nothing else.
async fn passkey(
    State(edge): State<Arc<Edge>>,
    Extension(tenant): Tenancy,
    Extension(RequestId(id)): Extension<RequestId>,
    parts: Parts,
    body: Body<Alone>,
) -> Response {
    let signed_in = async {
        let Json(Alone { passkey, cookie }) = body.map_err(|rejection| malformed(&rejection, EXPECTED))?;
        let answer = Assertion::read(passkey).map_err(|_| Refused::bad(EXPECTED))?;
        let kind = if cookie { SessionKind::Cookie } else { SessionKind::Bearer };
        let system = edge.factory(&tenant, Arc::new(Actor::system()), edge.request_info(&parts));
        counted(session::passkey_sign_in(&system, &answer, kind).await?, WRONG)
    };
    signed_in.await.map_or_else(|refused: Refused| refused.response(&id), |signed_in| opened(&signed_in))
}

/// What a browser asks its passkeys before anybody has said who they are.
async fn passkey_options(
    State(edge): State<Arc<Edge>>,
    Extension(tenant): Tenancy,
    Extension(RequestId(id)): Extension<RequestId>,
    parts: Parts,
) -> Response {
    let system = edge.factory(&tenant, Arc::new(Actor::system()), edge.request_info(&parts));
    match session::passkey_options(&system).await {
        Ok(options) => Json(options).into_response(),
        Err(failure) => Refused::from(failure).response(&id),
    }
}

/// Opens sensitive actions to a session for a few minutes.
async fn step_up(
    State(edge): State<Arc<Edge>>,
    Extension(tenant): Tenancy,
    Extension(RequestId(id)): Extension<RequestId>,
    parts: Parts,
    body: Body<Answer>,
) -> Response {
    let stepped_up = async {
        let actor = edge.actor(&parts, &tenant).await?.ok_or(Refused::UNAUTHENTICATED)?;
        let Json(answer) = body.map_err(|rejection| malformed(&rejection, EXPECTED))?;
        let shown = answer.shown()?;
        let factory = edge.factory(&tenant, actor, edge.request_info(&parts));
        let at = session::step_up(&factory, &shown).await?.map_err(|not| refused(not, WRONG_STEP_UP))?;
        edge.authenticator.forget(tenant.id);
        Ok(at)
    };
    match stepped_up.await {
        Ok(at) => Json(json!({ "secondFactorAt": at, "freshUntil": at + FRESH })).into_response(),
        Err(refused) => Refused::response(refused, &id),
    }
}

/// What can be shown in this session, and what a browser asks its passkeys.
async fn step_up_options(
    State(edge): State<Arc<Edge>>,
    Extension(tenant): Tenancy,
    Extension(RequestId(id)): Extension<RequestId>,
    parts: Parts,
) -> Response {
    let asked = async {
        let actor = edge.actor(&parts, &tenant).await?.ok_or(Refused::UNAUTHENTICATED)?;
        Ok(session::step_up_options(&edge.factory(&tenant, actor, edge.request_info(&parts))).await?)
    };
    match asked.await {
        Ok(asked) => {
            Json(json!({ "methods": names(&asked.methods), "passkey": asked.passkey })).into_response()
        }
        Err(refused) => Refused::response(refused, &id),
    }
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
