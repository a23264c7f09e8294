use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tracing_subscriber::layer::SubscriberExt;

use super::layer;
use crate::config::LogFormat;

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn logged(format: LogFormat, filter: &str, work: impl FnOnce()) -> String {
    let memory = Memory::default();
    let writer = memory.clone();
    let subscriber = tracing_subscriber::registry().with(layer(filter, format, move || writer.clone()));
    tracing::subscriber::with_default(subscriber, work);
    String::from_utf8(memory.0.lock().unwrap().clone()).unwrap()
}

fn speak() {
    let span = tracing::info_span!("request", patient = "Canary", tenant = "Canary");
    let _inside = span.enter();
    span.record("patient", "Canary again");
    tracing::info!(tenant = "ten_1", name = "Canary", variables = ?["Canary"], count = 3, "said");
    tracing::error!(error = %"first\nsecond", birth_date = "Canary", "failed");
}

#[test]
fn only_fields_of_the_list_are_written() {
    for format in [LogFormat::Text, LogFormat::Json] {
        let log = logged(format, "trace", speak);
        assert!(!log.contains("Canary") && !log.contains("birth_date"), "{log}");
        assert!(log.contains("ten_1") && log.contains("said") && log.contains('3'), "{log}");
        assert_eq!(log.lines().count(), 2, "{log}");
    }
}

#[test]
fn a_json_line_is_json() {
    let log = logged(LogFormat::Json, "info", speak);
    let line: Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    assert_eq!(line["message"], "said");
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["count"], 3);
    assert_eq!(line["target"], "praxis::telemetry::tests");
}

#[test]
fn libraries_are_held_back_whatever_the_filter_says() {
    let log = logged(LogFormat::Text, "trace,sqlx=trace,hyper=trace,praxis_of_another=trace", || {
        tracing::info!(target: "sqlx::query", "SELECT Canary");
        tracing::trace!(target: "hyper::proto", "Canary");
        tracing::debug!(target: "sea_orm::driver", "Canary");
        tracing::debug!(target: "async_graphql", "Canary");
        tracing::debug!(target: "h2::codec", "Canary");
        tracing::debug!(target: "rustls::client", "Canary");
        tracing::trace!(target: "praxisish", "Canary");
        tracing::warn!(target: "sqlx::pool", "slow");
        tracing::trace!(target: "praxis_platform::op", "ours");
    });
    assert!(!log.contains("Canary"), "{log}");
    assert!(log.contains("slow") && log.contains("ours"), "{log}");
}

#[test]
fn a_long_text_is_cut() {
    let log = logged(LogFormat::Text, "info", || tracing::error!(error = "x".repeat(10_000), "failed"));
    assert!(log.len() < 700, "{}", log.len());
}

/// A library that asks through the `log` crate whether to log, and is told no, takes no event of ours
/// with it.
#[test]
fn nothing_is_lost_after_a_refusal() {
    let log = logged(LogFormat::Text, "info", || {
        let theirs = tracing::debug_span!(target: "sqlx::query", "summary");
        for _ in 0..3 {
            tracing::dispatcher::get_default(|ours| ours.enabled(theirs.metadata().unwrap()));
            tracing::info!("said");
        }
    });
    assert_eq!(log.lines().count(), 3, "{log}");
}
