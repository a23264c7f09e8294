//! Writes what became of a request as an HTTP response.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use praxis_graphql::{
    api::Outcome,
    error::{self, Code},
};
use serde_json::{Value, json};

use super::{accept::MediaType, rate};

/// An answer with a single error, for whatever stops a request before it is read.
pub fn refusal(status: StatusCode, code: Code, message: &str, id: &str) -> Response {
    refusal_as(MediaType::Json, status, code, message, id)
}

/// The same in a media type that was already negotiated.
pub(super) fn refusal_as(
    media_type: MediaType,
    status: StatusCode,
    code: Code,
    message: &str,
    id: &str,
) -> Response {
    errors(media_type, status, &[error::entry(code, message, id)])
}

/// The answer to a request that was understood.
pub(super) fn response(outcome: Outcome, media_type: MediaType) -> Response {
    let (mut response, verdict) = match outcome {
        Outcome::Executed { body, rate } => {
            (([(header::CONTENT_TYPE, media_type.header())], body).into_response(), rate)
        }
        Outcome::Refused { status, errors: entries, allow_post, rate } => {
            let status = match (media_type, status) {
                // To a client of the older media type only 200 says that the body is GraphQL. 404 is
                // a document that is not known by its id, which the client will send whole.
                (MediaType::Json, 400 | 404) => StatusCode::OK,
                _ => StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            };
            let mut response = errors(media_type, status, &entries);
            if entries.iter().any(may_pass) {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            if status == StatusCode::UNAUTHORIZED {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            if allow_post {
                response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
            }
            (response, rate)
        }
    };
    if let Some(verdict) = verdict {
        rate::add(response.headers_mut(), &verdict);
    }
    response
}

/// The clinic is elsewhere in a moment, or its database comes back.
fn may_pass(entry: &Value) -> bool {
    let code = entry.pointer("/extensions/code").and_then(Value::as_str);
    [Code::TenantMoving, Code::UpstreamUnavailable].iter().any(|passing| code == Some(passing.as_str()))
}

fn errors(media_type: MediaType, status: StatusCode, entries: &[Value]) -> Response {
    let body = json!({ "errors": entries }).to_string();
    (status, [(header::CONTENT_TYPE, media_type.header())], body).into_response()
}
