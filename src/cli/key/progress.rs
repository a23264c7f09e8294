//! Shows how a rotation goes on: a bar on a terminal, one line of JSON per batch in a stream.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::super::Output;

/// What is going on.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Event<'a> {
    /// A step began.
    Started { step: &'a str, tenant: &'a str, total: usize },
    /// A batch of it was committed.
    Advanced { step: &'a str, tenant: &'a str, done: usize },
}

/// Where a rotation is.
pub(super) struct Progress {
    output: Output,
    bar: ProgressBar,
    step: Mutex<(&'static str, String)>,
    done: AtomicUsize,
}

impl Progress {
    /// Shows nothing yet.
    pub(super) fn new(output: Output) -> Self {
        let bar = if output == Output::Table { ProgressBar::no_length() } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len} {per_sec}, {eta} left") {
            bar.set_style(style);
        }
        Self { output, bar, step: Mutex::new(("", String::new())), done: AtomicUsize::new(0) }
    }

    /// A step over so many keys or rows begins; `tenant` is empty for what is above tenants.
    pub(super) fn begin(&self, step: &'static str, tenant: &str, total: usize) {
        *self.step.lock().unwrap_or_else(PoisonError::into_inner) = (step, tenant.to_owned());
        self.done.store(0, Ordering::Relaxed);
        self.bar.set_length(u64::try_from(total).unwrap_or(u64::MAX));
        self.bar.set_position(0);
        self.bar.set_message(format!("{tenant} {step}"));
        self.print(&Event::Started { step, tenant, total });
    }

    /// So many more are done.
    pub(super) fn advance(&self, count: usize) {
        let done = self.done.fetch_add(count, Ordering::Relaxed) + count;
        self.bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
        let step = self.step.lock().unwrap_or_else(PoisonError::into_inner);
        self.print(&Event::Advanced { step: step.0, tenant: &step.1, done });
    }

    /// Nothing more comes.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }

    fn print(&self, event: &Event<'_>) {
        if self.output == Output::Ndjson
            && let Err(error) = self.output.print_one(&[], event)
        {
            tracing::warn!(error = %error, "an event could not be printed");
        }
    }
}
