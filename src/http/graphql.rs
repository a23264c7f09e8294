//! GraphQL over HTTP: `/graphql` by POST and GET, as the GraphQL-over-HTTP draft has it, and
//! `/graphql/op/{id}` by GET for registered operations that may stand in an address.
//!
//! Knows HTTP only. What an operation means is [`praxis_graphql`]'s; who asks was found by the
//! gateway, which puts the [`Caller`] and the [`RequestId`] into the request.
//!
//! A document that does not run is `400` in `application/graphql-response+json`. Clients that ask
//! for the older `application/json` get `200` for the same, since to them any other status means
//! that the transport failed.

mod accept;
mod answer;
mod rate;
mod read;

use std::{sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    body::Body,
    extract::{Path, State},
    http::{HeaderValue, Method, Request, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{any, get},
};
use praxis_graphql::{
    api::{Api, Caller, GraphqlRequest, Outcome},
    error::Code,
};

use tokio::time::Instant;

use super::hygiene::RequestId;
use accept::MediaType;
pub use answer::refusal;

/// How long an operation may take before the caller is told to try again.
pub const DEADLINE: Duration = Duration::from_secs(10);

const ALLOW: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, OPTIONS");

/// The routes of the GraphQL endpoint.
pub fn router(api: Arc<Api>) -> Router {
    Router::new().route("/graphql", any(graphql)).route("/graphql/op/{id}", get(registered)).with_state(api)
}

/// A registered operation by its id in the path.
async fn registered(
    State(api): State<Arc<Api>>,
    Extension(RequestId(id)): Extension<RequestId>,
    Extension(caller): Extension<Caller>,
    Path(document): Path<String>,
    request: Request<Body>,
) -> Response {
    let Some(media_type) = MediaType::negotiate(request.headers()) else { return not_acceptable(&id) };
    let operation = match read::named(document, request.uri(), &id) {
        Ok(operation) => operation,
        Err(malformed) => return malformed.response(media_type, &id),
    };
    let deadline = Instant::now() + DEADLINE;
    run(&api, caller, operation, deadline, media_type, &id).await
}

async fn graphql(
    State(api): State<Arc<Api>>,
    Extension(RequestId(id)): Extension<RequestId>,
    Extension(caller): Extension<Caller>,
    request: Request<Body>,
) -> Response {
    match *request.method() {
        Method::GET | Method::HEAD | Method::POST => {}
        Method::OPTIONS => return (StatusCode::NO_CONTENT, [(header::ALLOW, ALLOW)]).into_response(),
        _ => {
            let message = "Use GET or POST.";
            let mut response = refusal(StatusCode::METHOD_NOT_ALLOWED, Code::BadUserInput, message, &id);
            response.headers_mut().insert(header::ALLOW, ALLOW);
            return response;
        }
    }
    let Some(media_type) = MediaType::negotiate(request.headers()) else { return not_acceptable(&id) };
    let deadline = Instant::now() + DEADLINE;
    let read = tokio::time::timeout_at(deadline, read::read(request, &id)).await;
    let operation = match read {
        Ok(Ok(operation)) => operation,
        Ok(Err(malformed)) => return malformed.response(media_type, &id),
        Err(_) => {
            let message = "The request did not arrive in time.";
            return refusal(StatusCode::REQUEST_TIMEOUT, Code::Timeout, message, &id);
        }
    };
    run(&api, caller, operation, deadline, media_type, &id).await
}

async fn run(
    api: &Api,
    caller: Caller,
    operation: GraphqlRequest,
    deadline: Instant,
    media_type: MediaType,
    id: &str,
) -> Response {
    let outcome = tokio::time::timeout_at(deadline, api.execute(caller, operation))
        .await
        .unwrap_or_else(|_| Outcome::refused(Code::Timeout, "The operation took too long.", id));
    answer::response(outcome, media_type)
}

fn not_acceptable(id: &str) -> Response {
    let message = "The answer is application/graphql-response+json or application/json.";
    refusal(StatusCode::NOT_ACCEPTABLE, Code::BadUserInput, message, id)
}
