//! The HTTP edge: what a request passes on its way in, as one list.

pub mod admin;
pub mod auth;
mod credential;
pub mod gateway;
pub mod graphiql;
pub mod graphql;
pub mod hygiene;
pub mod metrics;
mod refused;
pub mod throttle;

use std::sync::Arc;

use axum::{
    Extension, Router,
    http::StatusCode,
    middleware::{from_fn, from_fn_with_state},
    response::Response,
};
use praxis_graphql::{api::Api, error::Code};
use tower::ServiceBuilder;

pub use gateway::Edge;
use hygiene::{IdSource, RequestId};

/// What the public port serves.
///
/// Bodies are bounded where they are read: `/graphql` by 256 KiB, signing in by 8 KiB, nothing else
/// reads one.
pub fn public(edge: Arc<Edge>, api: Arc<Api>, ids: IdSource, explorer: bool) -> Router {
    let identify = from_fn_with_state(Arc::clone(&edge), gateway::identify);
    let routes =
        Router::new().merge(graphql::router(api).layer(identify)).merge(auth::router(Arc::clone(&edge)));
    let routes = if explorer { routes.merge(graphiql::router()) } else { routes };
    routes.fallback(nothing_here).method_not_allowed_fallback(other_method).layer(
        // From the outside in.
        ServiceBuilder::new()
            .layer(from_fn_with_state(ids, hygiene::guard))
            .layer(from_fn(metrics::observe))
            .layer(from_fn_with_state(edge, gateway::admit)),
    )
}

async fn nothing_here(Extension(RequestId(id)): Extension<RequestId>) -> Response {
    graphql::refusal(StatusCode::NOT_FOUND, Code::NotFound, "There is nothing here.", &id)
}

async fn other_method(Extension(RequestId(id)): Extension<RequestId>) -> Response {
    let message = "This method is not supported here.";
    graphql::refusal(StatusCode::METHOD_NOT_ALLOWED, Code::BadUserInput, message, &id)
}
