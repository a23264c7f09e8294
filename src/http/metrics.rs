//! What is counted and measured, for Prometheus. Labels are fixed words: no tenant, no path, no name.

use std::{sync::OnceLock, time::Duration};

use axum::{
    body::Body,
    http::{Method, Request},
    middleware::Next,
    response::Response,
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::hygiene::RequestId;

/// Upper bounds of the durations, in seconds: from a cached read to the deadline.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Where everything is counted; made at the first call, once per process.
pub fn handle() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let recorder = PrometheusBuilder::new().set_buckets(&BUCKETS).unwrap_or_default().build_recorder();
        let handle = recorder.handle();
        if ::metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("something else records metrics; ours stay empty");
        }
        handle
    })
}

/// Folds what was measured together, so that memory stays flat while nobody asks.
pub async fn upkeep() {
    let mut ticks = interval(Duration::from_secs(5));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        handle().run_upkeep();
    }
}

/// Middleware: counts requests, measures how long they take, and writes a line of the log for each.
pub async fn observe(request: Request<Body>, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().cloned();
    let kind = kind(request.uri().path());
    let method = method(request.method());
    let start = Instant::now();
    let response = next.run(request).await;
    let elapsed = start.elapsed();
    if let Some(RequestId(id)) = id {
        let (status, duration_ms) = (response.status().as_u16(), elapsed.as_millis());
        tracing::debug!(request_id = &*id, kind, method, status, duration_ms, "answered");
    }
    let status = response.status().as_u16().to_string();
    ::metrics::counter!("praxis_http_requests_total", "kind" => kind, "method" => method, "status" => status)
        .increment(1);
    ::metrics::histogram!("praxis_http_request_duration_seconds", "kind" => kind, "method" => method)
        .record(elapsed.as_secs_f64());
    response
}

fn kind(path: &str) -> &'static str {
    match path {
        "/graphql" => "graphql",
        "/graphql/stream" => "graphql-stream",
        _ if path.starts_with("/auth/") => "auth",
        _ if path.starts_with("/explorer") => "graphiql",
        _ => "other",
    }
}

/// Methods are texts of the client's; only the usual ones become labels.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
