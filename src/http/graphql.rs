//! GraphQL over HTTP: `/graphql` by POST and GET, as the GraphQL-over-HTTP draft has it, and
//! `/graphql/op/{id}` by GET for registered operations that may stand in an address.
//!
//! `/graphql` also takes sockets, and answers who accepts `text/event-stream` by a stream; `/graphql/stream` speaks
//! GraphQL over SSE in both of its modes. What goes on there is [`live`](super::live)'s.
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

use std::{panic::resume_unwind, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    body::Body,
    extract::{FromRequestParts, Path, State, WebSocketUpgrade},
    http::{HeaderValue, Method, Request, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{any, get},
};
use praxis_graphql::{
    api::{Api, Caller, GraphqlRequest, Outcome},
    error::Code,
};
use tokio::time::Instant;
use tracing::Instrument;

use super::{
    hygiene::RequestId,
    live::{Live, event_stream, socket},
};
use accept::MediaType;
pub use answer::refusal;
pub use read::MAX_SIZE;
pub(super) use read::operation_of;

/// How long an operation may take before the caller is told to try again.
pub const DEADLINE: Duration = Duration::from_secs(10);

const ALLOW: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, OPTIONS");
const STREAM_ALLOW: HeaderValue = HeaderValue::from_static("GET, POST, PUT, DELETE, OPTIONS");

/// The routes of the GraphQL endpoint.
pub fn router(live: Arc<Live>) -> Router {
    Router::new()
        .route("/graphql", any(graphql))
        .route("/graphql/stream", any(stream))
        .route("/graphql/op/{id}", get(registered))
        .with_state(live)
}

/// A registered operation by its id in the path.
async fn registered(
    State(live): State<Arc<Live>>,
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
    run(&live.api, caller, operation, deadline, media_type, &id).await
}

async fn graphql(
    State(live): State<Arc<Live>>,
    Extension(RequestId(id)): Extension<RequestId>,
    Extension(caller): Extension<Caller>,
    request: Request<Body>,
) -> Response {
    match *request.method() {
        Method::GET | Method::HEAD | Method::POST => {}
        Method::OPTIONS => return (StatusCode::NO_CONTENT, [(header::ALLOW, ALLOW)]).into_response(),
        _ => return other_method(ALLOW, "Use GET or POST.", &id),
    }
    if asks_for_socket(&request) {
        let (mut parts, _) = request.into_parts();
        return match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
            Ok(upgrade) => socket::open(live, upgrade, parts, &id),
            Err(_) => refusal(
                StatusCode::BAD_REQUEST,
                Code::BadUserInput,
                "This opens no socket of version 13.",
                &id,
            ),
        };
    }
    let Some(media_type) = MediaType::negotiate(request.headers()) else {
        let streamed = event_stream::is_wanted(request.headers());
        return if streamed { events(live, request, &id).await } else { not_acceptable(&id) };
    };
    let deadline = Instant::now() + DEADLINE;
    let read = tokio::time::timeout_at(deadline, read::read(request, &id)).await;
    let operation = match read {
        Ok(Ok(operation)) => operation,
        Ok(Err(malformed)) => return malformed.response(media_type, &id),
        Err(_) => return late(&id),
    };
    run(&live.api, caller, operation, deadline, media_type, &id).await
}

/// GraphQL over SSE; with a token, on a stream that several operations share.
async fn stream(
    State(live): State<Arc<Live>>,
    Extension(RequestId(id)): Extension<RequestId>,
    request: Request<Body>,
) -> Response {
    match *request.method() {
        Method::GET | Method::POST => events(live, request, &id).await,
        Method::PUT => event_stream::reserve(live, request.into_parts().0, &id).await,
        Method::DELETE => event_stream::end(live, request.into_parts().0, &id).await,
        Method::OPTIONS => (StatusCode::NO_CONTENT, [(header::ALLOW, STREAM_ALLOW)]).into_response(),
        _ => other_method(STREAM_ALLOW, "Use GET, POST, PUT or DELETE.", &id),
    }
}

/// A stream of one's own, or something about one that was reserved.
async fn events(live: Arc<Live>, request: Request<Body>, id: &str) -> Response {
    let (parts, body) = request.into_parts();
    let reserved = event_stream::token(&parts).is_some();
    if reserved && parts.method == Method::GET {
        return event_stream::attach(live, parts, id).await;
    }
    let read = read::read(Request::from_parts(parts.clone(), body), id);
    match tokio::time::timeout(DEADLINE, read).await {
        Ok(Ok(operation)) if reserved => event_stream::operate(live, parts, operation).await,
        Ok(Ok(operation)) => event_stream::distinct(live, parts, operation).await,
        Ok(Err(malformed)) => malformed.response(MediaType::Json, id),
        Err(_) => late(id),
    }
}

/// Whether a request asks to go on as a WebSocket.
fn asks_for_socket(request: &Request<Body>) -> bool {
    let upgrade = request.headers().get(header::UPGRADE);
    request.method() == Method::GET
        && upgrade.is_some_and(|to| to.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

fn other_method(allow: HeaderValue, message: &str, id: &str) -> Response {
    let mut response = refusal(StatusCode::METHOD_NOT_ALLOWED, Code::BadUserInput, message, id);
    response.headers_mut().insert(header::ALLOW, allow);
    response
}

fn late(id: &str) -> Response {
    refusal(StatusCode::REQUEST_TIMEOUT, Code::Timeout, "The request did not arrive in time.", id)
}

async fn run(
    api: &Arc<Api>,
    caller: Caller,
    operation: GraphqlRequest,
    deadline: Instant,
    media_type: MediaType,
    id: &str,
) -> Response {
    let api = Arc::clone(api);
    let execution = async move { tokio::time::timeout_at(deadline, api.execute(caller, operation)).await };
    // On its own, and so to its end: a statement that is cut off because the client went away costs the connection it
    // ran on, and a new one is slow until it has planned what others have.
    let outcome = match tokio::spawn(execution.in_current_span()).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Outcome::refused(Code::Timeout, "The operation took too long.", id),
        Err(failed) if failed.is_panic() => resume_unwind(failed.into_panic()),
        Err(_) => Outcome::refused(Code::Internal, "The operation was stopped.", id),
    };
    answer::response(outcome, media_type)
}

fn not_acceptable(id: &str) -> Response {
    let message = "The answer is application/graphql-response+json or application/json.";
    refusal(StatusCode::NOT_ACCEPTABLE, Code::BadUserInput, message, id)
}
