//! One line of the log, from the fields that may be written.

use std::fmt::{self, Debug, Write};

use serde_json::{Map, Value};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span::Record,
};
use tracing_subscriber::{
    field::RecordFields,
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};

use crate::config::LogFormat;

/// Fields whose values are ids, codes, counts or texts of our own. Anything else is left out.
const ALLOWED: &[&str] = &[
    "message",
    "address",
    "attempts",
    "class",
    "code",
    "count",
    "duration_ms",
    "error",
    "kind",
    "method",
    "path",
    "problem",
    "request_id",
    "row",
    "run",
    "schema_version",
    "shard",
    "state",
    "status",
    "step",
    "table",
    "tenant",
    "version",
];

/// Longer texts are cut: they come from elsewhere and may repeat what they are about.
const LONGEST: usize = 500;

/// Writes events.
pub(super) struct Line(pub(super) LogFormat);

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let metadata = event.metadata();
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        match self.0 {
            LogFormat::Json => {
                let mut line = fields.0;
                line.insert("time".into(), time.into());
                line.insert("level".into(), metadata.level().as_str().into());
                line.insert("target".into(), metadata.target().into());
                writeln!(writer, "{}", Value::Object(line))
            }
            LogFormat::Text => {
                let message = fields.0.remove("message");
                let message = message.as_ref().and_then(Value::as_str).unwrap_or_default();
                write!(writer, "{time} {:>5} {}: {message}", metadata.level(), metadata.target())?;
                for (name, value) in &fields.0 {
                    write!(writer, " {name}={value}")?;
                }
                writeln!(writer)
            }
        }
    }
}

/// Writes nothing of a span.
pub(super) struct NoFields;

impl<'w> FormatFields<'w> for NoFields {
    fn format_fields<R: RecordFields>(&self, _: Writer<'w>, _: R) -> fmt::Result {
        Ok(())
    }

    fn add_fields(
        &self,
        _: &'w mut tracing_subscriber::fmt::FormattedFields<Self>,
        _: &Record<'_>,
    ) -> fmt::Result {
        Ok(())
    }
}

#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn insert(&mut self, field: &Field, value: impl FnOnce() -> Value) {
        // The value is not even formatted unless its name is on the list.
        if ALLOWED.contains(&field.name()) {
            self.0.insert(field.name().to_owned(), value());
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.insert(field, || {
            let mut text = Bounded::default();
            // Stops at its bound with an error, which is the point.
            let _ = write!(text, "{value:?}");
            text.0.into()
        });
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, || value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, || value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, || value.into());
    }
}

/// Text up to a length, on one line: no value can look like a line of its own.
#[derive(Default)]
struct Bounded(String);

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            if self.0.len() >= LONGEST {
                return Err(fmt::Error);
            }
            self.0.push(if character.is_control() { ' ' } else { character });
        }
        Ok(())
    }
}
