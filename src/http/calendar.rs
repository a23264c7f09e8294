//! Calendars of practitioners, read by calendar programs: `GET /calendar/{secret}.ics`.
//!
//! Nobody signs in here: whoever has the address may read, and what they read names no patient. An address that was
//! taken back is answered like one that never was.

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::get,
};
use praxis_domain::{Error, scheduling};
use praxis_graphql::error::Code;
use praxis_platform::{Failure, access::Actor, audit::Entry, tenancy::Tenant};

use super::{gateway::Edge, graphql::refusal, hygiene::RequestId, refused::Refused};

/// The route under `/calendar`.
pub fn router(edge: Arc<Edge>) -> Router {
    Router::new().route("/calendar/{file}", get(calendar)).with_state(edge)
}

async fn calendar(
    State(edge): State<Arc<Edge>>,
    Extension(tenant): Extension<Arc<Tenant>>,
    Extension(RequestId(id)): Extension<RequestId>,
    Path(file): Path<String>,
    parts: Parts,
) -> Response {
    let found = async {
        let Some(secret) = file.strip_suffix(".ics") else { return Ok(None) };
        let op = edge.factory(&tenant, Arc::new(Actor::system()), edge.request_info(&parts)).read();
        let text = scheduling::feed(&op, secret).await.map_err(|error| match error {
            Error::Failure(failure) => failure,
            violated @ Error::Violated(_) => Failure::Internal(violated.to_string()),
        })?;
        if text.is_some() {
            op.record(Entry::done("calendar-feed.read")).await?;
        }
        Ok::<_, Failure>(text)
    };
    match found.await {
        Ok(Some(text)) => {
            let headers = [
                (header::CONTENT_TYPE, HeaderValue::from_static("text/calendar; charset=utf-8")),
                (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
                (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            ];
            (headers, text).into_response()
        }
        Ok(None) => refusal(StatusCode::NOT_FOUND, Code::NotFound, "There is nothing here.", &id),
        Err(failure) => Refused::from(failure).response(&id),
    }
}
