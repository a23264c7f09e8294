//! The HTTP edge: what a request passes on its way in, as one list.

pub mod admin;
pub mod auth;
pub mod calendar;
mod credential;
pub mod gateway;
pub mod graphiql;
pub mod graphql;
pub mod hygiene;
pub mod live;
pub mod metrics;
pub mod operators;
mod refused;
pub mod server;
pub mod sign_in;
pub mod throttle;
pub mod token;
pub mod webhooks;

use std::sync::Arc;

use axum::{
    Extension, Router,
    body::Body,
    http::{Request, StatusCode},
    middleware::{Next, from_fn, from_fn_with_state},
    response::Response,
};
use praxis_graphql::error::Code;
use tower::ServiceBuilder;

pub use gateway::Edge;
use hygiene::{IdSource, RequestId};
pub use live::Live;

/// What the public port serves.
///
/// Bodies are bounded where they are read: `/graphql` by 256 KiB, signing in by 8 KiB, nothing else
/// reads one.
pub fn public(live: Arc<Live>, ids: IdSource, explorer: bool) -> Router {
    let edge = Arc::clone(&live.edge);
    let signing_in =
        auth::router(Arc::clone(&edge)).merge(token::router(Arc::clone(&edge))).layer(from_fn(in_time));
    let identify = from_fn_with_state(Arc::clone(&edge), gateway::identify);
    let routes =
        Router::new().merge(graphql::router(live).layer(identify)).merge(signing_in).merge(sign_in::router());
    let routes = routes.merge(calendar::router(Arc::clone(&edge)));
    let routes = routes.merge(webhooks::router(Arc::clone(&edge)).layer(from_fn(in_time)));
    let routes = if explorer { routes.merge(graphiql::router()) } else { routes };
    routes.fallback(nothing_here).method_not_allowed_fallback(other_method).layer(
        // From the outside in.
        ServiceBuilder::new()
            .layer(from_fn_with_state(ids, hygiene::guard))
            .layer(from_fn(metrics::observe))
            .layer(from_fn_with_state(edge, gateway::admit)),
    )
}

/// A body that arrives byte by byte holds its connection no longer than anything else does.
async fn in_time(request: Request<Body>, next: Next) -> Response {
    let RequestId(id) = request.extensions().get().cloned().unwrap_or_else(|| RequestId("".into()));
    tokio::time::timeout(graphql::DEADLINE * 2, next.run(request)).await.unwrap_or_else(|_| {
        let message = "The request did not arrive in time.";
        graphql::refusal(StatusCode::REQUEST_TIMEOUT, Code::Timeout, message, &id)
    })
}

async fn nothing_here(Extension(RequestId(id)): Extension<RequestId>) -> Response {
    graphql::refusal(StatusCode::NOT_FOUND, Code::NotFound, "There is nothing here.", &id)
}

async fn other_method(Extension(RequestId(id)): Extension<RequestId>) -> Response {
    let message = "This method is not supported here.";
    graphql::refusal(StatusCode::METHOD_NOT_ALLOWED, Code::BadUserInput, message, &id)
}
