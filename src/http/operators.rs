//! The control plane's own port: operators sign in here, and nowhere else.
//!
//! `POST /auth/login` gives a token, `POST /auth/step-up` shows the password again, `POST /auth/logout` ends it,
//! `POST /graphql` asks. There are no cookies, so no page of another site can ask in an operator's name.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Json, Router,
    body::Body,
    extract::{DefaultBodyLimit, FromRequest, Request as Arrived, State, rejection::JsonRejection},
    http::{HeaderName, StatusCode, header, request::Parts},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use chrono::SecondsFormat;
use praxis_entity::ids::TenantId;
use praxis_fleet::{migrate::Migrator, operators::OperatorError};
use praxis_graphql::error::Code;
use praxis_operators::{ControlPlane, Operator, Request, Session};
use praxis_platform::Failure;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use tower::ServiceBuilder;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{
    auth::malformed,
    credential::bearer,
    gateway::client_address,
    graphql::{DEADLINE, refusal},
    hygiene::{self, IdSource, RequestId},
    metrics, nothing_here, other_method,
    refused::Refused,
    throttle::{Attempt, Throttle},
};

/// A document and its variables; more bytes than anybody writes by hand.
const LONGEST: usize = 64 * 1024;

const WRONG: Refused = Refused::new(
    StatusCode::UNAUTHORIZED,
    Code::Unauthenticated,
    "The e-mail address or the password is wrong.",
);
const WRONG_PASSWORD: Refused =
    Refused::new(StatusCode::FORBIDDEN, Code::StepUpRequired, "The password is wrong.");
const EXPECTED: &str = "The body has to be JSON of the documented form.";

/// What the port works with.
struct Desk {
    plane: Arc<ControlPlane>,
    throttle: Throttle,
    /// Where a trusted proxy puts the client's address.
    client_address_header: Option<HeaderName>,
}

/// The routes.
pub fn router(plane: Arc<ControlPlane>, client_address_header: Option<HeaderName>, ids: IdSource) -> Router {
    metrics::handle();
    let desk = Arc::new(Desk { plane, throttle: Throttle::default(), client_address_header });
    Router::new()
        .route("/auth/login", post(login))
        .route("/auth/step-up", post(step_up))
        .route("/auth/logout", post(logout))
        .route("/graphql", post(graphql))
        .route("/livez", get(async || Json(json!({ "alive": true }))))
        .route("/readyz", get(ready))
        .route("/metrics", get(scrape))
        .with_state(desk)
        .fallback(nothing_here)
        .method_not_allowed_fallback(other_method)
        .layer(DefaultBodyLimit::max(LONGEST))
        .layer(
            ServiceBuilder::new()
                .layer(from_fn_with_state(ids, hygiene::guard))
                .layer(from_fn(metrics::observe))
                .layer(from_fn(in_time)),
        )
}

/// Long work is done by the executor: a request that takes this long is stuck.
async fn in_time(request: Arrived, next: Next) -> Response {
    let RequestId(id) = request.extensions().get().cloned().unwrap_or_else(|| RequestId("".into()));
    tokio::time::timeout(DEADLINE * 2, next.run(request)).await.unwrap_or_else(|_| {
        refusal(StatusCode::GATEWAY_TIMEOUT, Code::Timeout, "The request did not end in time.", &id)
    })
}

#[derive(Deserialize)]
struct Login {
    email: String,
    password: String,
}

#[derive(Deserialize)]
struct StepUp {
    password: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    query: String,
    operation_name: Option<String>,
    #[serde(default)]
    variables: Option<Map<String, Value>>,
}

async fn login(State(desk): State<Arc<Desk>>, request: Arrived) -> Response {
    let (call, body) = desk.call(request);
    let outcome = async {
        let Login { email, password } = read(body).await?;
        if email.len() > 320 || email.contains('\0') {
            return Err(Refused::bad(EXPECTED));
        }
        desk.sign_in(&call, &email, &Zeroizing::new(password)).await
    };
    match outcome.await {
        Ok((session, token)) => {
            let Session { operator, expires_at, .. } = session;
            let Operator { email, display_name, rights, .. } = operator;
            let operator = json!({ "email": email, "displayName": display_name, "rights": rights.codes() });
            let ends = expires_at.to_rfc3339_opts(SecondsFormat::Millis, true);
            Json(json!({ "accessToken": token, "expiresAt": ends, "operator": operator })).into_response()
        }
        Err(refused) => refused.response(&call.id),
    }
}

async fn step_up(State(desk): State<Arc<Desk>>, request: Arrived) -> Response {
    let (call, body) = desk.call(request);
    let outcome = async {
        let (token, session) = desk.session(&call).await?;
        let StepUp { password } = read(body).await?;
        desk.prove(&call, &token, &session, &Zeroizing::new(password)).await
    };
    match outcome.await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refused) => refused.response(&call.id),
    }
}

async fn logout(State(desk): State<Arc<Desk>>, request: Arrived) -> Response {
    let (call, _) = desk.call(request);
    let outcome = async {
        let token = bearer(&call.parts.headers)?.ok_or(Refused::UNAUTHENTICATED)?;
        desk.plane.sign_out(&token, call.from.as_deref()).await.map_err(refused)
    };
    match outcome.await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refused) => refused.response(&call.id),
    }
}

async fn graphql(State(desk): State<Arc<Desk>>, request: Arrived) -> Response {
    let (call, body) = desk.call(request);
    let outcome = async {
        let (_, session) = desk.session(&call).await?;
        let Asked { query, operation_name, variables } = read(body).await?;
        let id = call.id.to_string();
        let request = Request { id, query, operation_name, variables: variables.unwrap_or_default() };
        Ok::<_, Refused>(desk.plane.execute(session, request).await)
    };
    match outcome.await {
        Ok(answer) => Json(answer).into_response(),
        Err(refused) => refused.response(&call.id),
    }
}

/// Whether the database answers, and is as this build knows it.
async fn ready(State(desk): State<Arc<Desk>>) -> Response {
    let found = tokio::time::timeout(DEADLINE / 5, desk.plane.version()).await.ok().and_then(Result::ok);
    let (database, fits) = (found.is_some(), found == Some(Migrator::new("").control_target()));
    let status = if fits { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": fits, "database": database, "schema": fits }))).into_response()
}

async fn scrape() -> impl IntoResponse {
    let media_type = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, media_type)], metrics::handle().render())
}

/// Who sends a request, as far as it can be believed.
struct Call {
    id: Arc<str>,
    parts: Parts,
    address: Option<IpAddr>,
    from: Option<String>,
}

async fn read<T: DeserializeOwned>(body: Arrived) -> Result<T, Refused> {
    let read: Result<Json<T>, JsonRejection> = Json::from_request(body, &()).await;
    read.map(|Json(read)| read).map_err(|rejection| malformed(&rejection, EXPECTED))
}

impl Desk {
    fn call(&self, request: Arrived) -> (Call, Arrived) {
        let (parts, body) = request.into_parts();
        let RequestId(id) = parts.extensions.get().cloned().unwrap_or_else(|| RequestId("".into()));
        let address = client_address(self.client_address_header.as_ref(), &parts.headers, &parts.extensions);
        let from = address.map(|address| address.to_string());
        let body: Body = body;
        (Call { id, parts: parts.clone(), address, from }, Arrived::from_parts(parts, body))
    }

    async fn sign_in(&self, call: &Call, email: &str, password: &str) -> Result<(Session, String), Refused> {
        let attempt = attempt(email, call);
        self.not_throttled(&attempt)?;
        let outcome = self.plane.sign_in(email, password, call.from.as_deref()).await.map_err(refused)?;
        // Guesses that were sent at once are counted as they fail, and what they found out stays untold.
        self.not_throttled(&attempt)?;
        match outcome {
            Some(signed_in) => {
                self.throttle.succeeded(&attempt);
                Ok(signed_in)
            }
            None => {
                self.throttle.failed(&attempt);
                Err(WRONG)
            }
        }
    }

    async fn prove(
        &self,
        call: &Call,
        token: &str,
        session: &Session,
        password: &str,
    ) -> Result<(), Refused> {
        let attempt = attempt(&session.operator.email, call);
        self.not_throttled(&attempt)?;
        let proved = self.plane.prove(token, session, password, call.from.as_deref()).await;
        let proved = proved.map_err(refused)?;
        self.not_throttled(&attempt)?;
        if proved {
            self.throttle.succeeded(&attempt);
            return Ok(());
        }
        self.throttle.failed(&attempt);
        Err(WRONG_PASSWORD)
    }

    fn not_throttled(&self, attempt: &Attempt) -> Result<(), Refused> {
        let Some(wait) = self.throttle.wait(attempt) else { return Ok(()) };
        let message = "There were too many failed attempts to sign in.";
        Err(Refused::new(StatusCode::TOO_MANY_REQUESTS, Code::Throttled, message).later(wait.as_secs()))
    }

    async fn session(&self, call: &Call) -> Result<(String, Session), Refused> {
        let token = bearer(&call.parts.headers)?.ok_or(Refused::UNAUTHENTICATED)?;
        let session = self.plane.authenticate(&token).await.map_err(refused)?;
        Ok((token, session.ok_or(Refused::UNAUTHENTICATED)?))
    }
}

/// Operators belong to no clinic.
fn attempt(email: &str, call: &Call) -> Attempt {
    Attempt::new(TenantId(Uuid::nil()), email, call.address)
}

fn refused(error: OperatorError) -> Refused {
    match error {
        OperatorError::Failure(Failure::Busy) => Refused::new(
            StatusCode::SERVICE_UNAVAILABLE,
            Code::UpstreamUnavailable,
            "Too many sign in at once.",
        )
        .later(1),
        error => {
            tracing::warn!(%error, "an operator could not be looked up");
            Refused::new(
                StatusCode::SERVICE_UNAVAILABLE,
                Code::UpstreamUnavailable,
                "The control database is not available.",
            )
            .later(5)
        }
    }
}
