//! The admin port: for supervisors and Prometheus, never for the public.

use std::{cmp::Ordering, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use praxis_platform::{
    Platform,
    tenancy::{Directory, Freshness, Hardening, snapshot_version},
};
use serde_json::json;
use tokio::time::timeout;

use super::metrics;

/// A supervisor asks often and does not wait for long.
const PATIENCE: Duration = Duration::from_secs(2);

/// What readiness depends on.
#[derive(Clone)]
pub struct Health {
    /// Which clinics there are.
    pub directory: Arc<Directory>,
    /// What all operations share.
    pub platform: Arc<Platform>,
    /// As found at the start.
    pub hardening: Hardening,
}

/// The routes of the admin port.
pub fn router(health: Health) -> Router {
    Router::new()
        .route("/healthz", get(async || Json(json!({ "alive": true }))))
        .route("/readyz", get(ready))
        .route("/metrics", get(scrape))
        .with_state(health)
}

async fn ready(State(health): State<Health>) -> Response {
    // Refreshing the directory asks the control database for one number.
    let database = matches!(timeout(PATIENCE, health.directory.refresh()).await, Ok(Ok(())));
    let directory = health.directory.freshness() == Freshness::Fresh;
    let ready = database && directory;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    // A server that runs without hardening was told to; it is shown, and not held against it.
    let hardening = health.hardening.complete();
    // Nor is a key service that is away: clinics whose keys are at hand go on.
    let keys = health.platform.keyring.service_answers();
    (
        status,
        Json(json!({ "ready": ready, "database": database, "directory": directory, "hardening": hardening, "keys": keys })),
    )
        .into_response()
}

async fn scrape(State(health): State<Health>) -> impl IntoResponse {
    let pool = &health.platform.pool;
    for (state, connections) in [("idle", pool.idle()), ("in_use", pool.in_use())] {
        let connections = u32::try_from(connections).unwrap_or(u32::MAX);
        ::metrics::gauge!("praxis_pool_connections", "state" => state).set(f64::from(connections));
    }
    // All three are said each time: one that is left out would stay as it was.
    let tenants = health.directory.all();
    for (schema, order) in
        [("behind", Ordering::Less), ("current", Ordering::Equal), ("ahead", Ordering::Greater)]
    {
        let count =
            tenants.iter().filter(|tenant| tenant.schema_version.cmp(&snapshot_version()) == order).count();
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        ::metrics::gauge!("praxis_tenants", "schema" => schema).set(f64::from(count));
    }
    let text = metrics::handle().render();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}
