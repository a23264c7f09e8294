//! The log: what may be in it, and how a line looks.
//!
//! A log is read by more people than a chart. So a field is written only if its name is on a list,
//! messages are fixed texts by convention, and libraries, whose TRACE shows requests and rows, are
//! held at WARN whatever the filter says. Fields of spans are not written at all.

mod line;

use std::{fs::File, io, sync::Arc};

use tracing::{Level, Metadata, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{FilterExt, dynamic_filter_fn},
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::config::{Log, LogFormat};
use line::{Line, NoFields};

/// Starts logging to stderr; does nothing when something else already logs.
pub fn init(log: Option<&Log>) {
    let (filter, format) = log.map_or(("warn", LogFormat::Text), |log| (log.filter.as_str(), log.format));
    let _ = tracing_subscriber::registry().with(layer(filter, format, io::stderr)).try_init();
}

/// Starts logging to a file; does nothing when something else already logs.
pub fn init_to(log: &Log, file: File) {
    let _ = tracing_subscriber::registry().with(layer(&log.filter, log.format, Arc::new(file))).try_init();
}

fn layer<W>(filter: &str, format: LogFormat, writer: W) -> impl Layer<Registry> + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::WARN.into()).parse_lossy(filter);
    fmt::layer()
        .event_format(Line(format))
        .fmt_fields(NoFields)
        .with_writer(writer)
        // Asked anew for each event: where a filter says yes once and for all, the library loses the
        // event that follows one it refused on the same thread.
        .with_filter(filter.and(dynamic_filter_fn(|metadata, _| ours_or_grave(metadata))))
}

/// Our own events, and of others only what is wrong.
fn ours_or_grave(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    let ours = target == "praxis" || target.starts_with("praxis::") || target.starts_with("praxis_");
    ours || *metadata.level() <= Level::WARN
}

#[cfg(test)]
mod tests;
