//! A run on a terminal, and as a stream of events.

use indicatif::{ProgressBar, ProgressStyle};
use praxis_fleet::migrate::Event;

use crate::cli::Output;

/// Shows how a run goes on: a bar on a terminal, one line of JSON per event in a stream.
pub(super) struct Progress {
    output: Output,
    bar: ProgressBar,
}

impl Progress {
    pub(super) fn new(output: Output) -> Self {
        let bar = if output == Output::Table { ProgressBar::no_length() } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} tenants, {eta} left {msg}") {
            bar.set_style(style);
        }
        Self { output, bar }
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    pub(super) fn show(&self, event: &Event) {
        match event {
            Event::Control { .. } => {}
            Event::Wave { wave, .. } => self.bar.set_message(format!("wave {wave}")),
            Event::GateShut { wave, error } if self.output == Output::Table => {
                self.bar.suspend(|| complain(&format!("the gate after wave {wave} stayed shut"), error));
            }
            Event::CellAway { cell, error } if self.output == Output::Table => {
                self.bar.suspend(|| complain(&format!("the cell {cell} was left as it is"), error));
            }
            Event::GateShut { .. } | Event::CellAway { .. } => {}
            Event::Started { tenants, .. } => {
                self.bar.set_length(u64::try_from(*tenants).unwrap_or(u64::MAX))
            }
            Event::Migrated { .. } => self.bar.inc(1),
            Event::Failed { tenant, error, .. } => {
                self.bar.inc(1);
                // To whoever looks at a terminal or a log; the stream and the ledger have it, too.
                if self.output == Output::Table {
                    self.bar.suspend(|| complain(tenant, error));
                }
            }
        }
        if self.output == Output::Ndjson
            && let Err(error) = self.output.print_one(&[], event)
        {
            tracing::warn!(error = %error, "an event could not be printed");
        }
    }
}

#[expect(clippy::print_stderr, reason = "stderr is where a command says what went wrong")]
fn complain(tenant: &str, error: &str) {
    eprintln!("{tenant}: {error}");
}
