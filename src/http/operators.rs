//! The control plane's own port: operators sign in here, and nowhere else.
//!
//! `POST /auth/login` gives a token, `POST /auth/logout` ends it, `POST /graphql` asks. There are no cookies, so no page
//! of another site can ask in an operator's name.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Extension, Json, Router,
    extract::{ConnectInfo, DefaultBodyLimit, State, rejection::JsonRejection},
    http::{HeaderMap, StatusCode, header},
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::post,
};
use praxis_entity::ids::TenantId;
use praxis_fleet::operators::OperatorError;
use praxis_graphql::error::Code;
use praxis_operators::{ControlPlane, Operator, Request};
use praxis_platform::Failure;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tower::ServiceBuilder;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{
    hygiene::{self, IdSource, RequestId},
    in_time, nothing_here, other_method,
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
const MALFORMED: Refused = Refused::bad("The body has to be JSON of the documented form.");

/// What the port works with.
struct Desk {
    plane: ControlPlane,
    throttle: Throttle,
}

/// The routes.
pub fn router(plane: ControlPlane, ids: IdSource) -> Router {
    let desk = Arc::new(Desk { plane, throttle: Throttle::default() });
    Router::new()
        .route("/auth/login", post(login))
        .route("/auth/logout", post(logout))
        .route("/graphql", post(graphql))
        .with_state(desk)
        .fallback(nothing_here)
        .method_not_allowed_fallback(other_method)
        .layer(DefaultBodyLimit::max(LONGEST))
        .layer(ServiceBuilder::new().layer(from_fn_with_state(ids, hygiene::guard)).layer(from_fn(in_time)))
}

#[derive(Deserialize)]
struct Login {
    email: String,
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

async fn login(
    State(desk): State<Arc<Desk>>,
    Extension(RequestId(id)): Extension<RequestId>,
    address: Option<Extension<ConnectInfo<SocketAddr>>>,
    body: Result<Json<Login>, JsonRejection>,
) -> Response {
    let address = address.map(|Extension(ConnectInfo(address))| address.ip());
    let outcome = match body {
        Ok(Json(Login { email, password })) if email.len() <= 320 && !email.contains('\0') => {
            // Operators belong to no clinic.
            let attempt = Attempt::new(TenantId(Uuid::nil()), &email, address);
            desk.sign_in(&attempt, &email, &Zeroizing::new(password)).await
        }
        _ => Err(MALFORMED),
    };
    match outcome {
        Ok((operator, token)) => {
            let Operator { email, display_name, .. } = operator;
            Json(json!({ "accessToken": token, "operator": { "email": email, "displayName": display_name } }))
                .into_response()
        }
        Err(refused) => refused.response(&id),
    }
}

async fn logout(
    State(desk): State<Arc<Desk>>,
    Extension(RequestId(id)): Extension<RequestId>,
    headers: HeaderMap,
) -> Response {
    let Some(token) = bearer(&headers) else { return Refused::UNAUTHENTICATED.response(&id) };
    match desk.plane.sign_out(token).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => refused(error).response(&id),
    }
}

async fn graphql(
    State(desk): State<Arc<Desk>>,
    Extension(RequestId(id)): Extension<RequestId>,
    headers: HeaderMap,
    body: Result<Json<Asked>, JsonRejection>,
) -> Response {
    let operator = match desk.operator(&headers).await {
        Ok(operator) => operator,
        Err(refused) => return refused.response(&id),
    };
    let Ok(Json(Asked { query, operation_name, variables })) = body else { return MALFORMED.response(&id) };
    let request = Request { query, operation_name, variables: variables.unwrap_or_default() };
    Json(desk.plane.execute(operator, request).await).into_response()
}

impl Desk {
    async fn sign_in(
        &self,
        attempt: &Attempt,
        email: &str,
        password: &str,
    ) -> Result<(Operator, String), Refused> {
        self.not_throttled(attempt)?;
        let outcome = self.plane.sign_in(email, password).await.map_err(refused)?;
        // Guesses that were sent at once are counted as they fail, and what they found out stays untold.
        self.not_throttled(attempt)?;
        match outcome {
            Some(signed_in) => {
                self.throttle.succeeded(attempt);
                Ok(signed_in)
            }
            None => {
                self.throttle.failed(attempt);
                Err(WRONG)
            }
        }
    }

    fn not_throttled(&self, attempt: &Attempt) -> Result<(), Refused> {
        let Some(wait) = self.throttle.wait(attempt) else { return Ok(()) };
        let message = "There were too many failed attempts to sign in.";
        Err(Refused::new(StatusCode::TOO_MANY_REQUESTS, Code::Throttled, message).later(wait.as_secs()))
    }

    async fn operator(&self, headers: &HeaderMap) -> Result<Operator, Refused> {
        let token = bearer(headers).ok_or(Refused::UNAUTHENTICATED)?;
        self.plane.authenticate(token).await.map_err(refused)?.ok_or(Refused::UNAUTHENTICATED)
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
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
