//! What a request will have to account for besides what it changed: the fields it asked, and what
//! was refused or failed.
//!
//! Changes write their entries themselves, in their transaction. All the rest is one statement, before
//! the answer leaves. What the answer calls an error is an entry; a field that a role does not have and
//! that is null in silence is none. Refusals of nobody in particular are only counted.

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, Utc};
use praxis_entity::ids::PatientId;
use praxis_platform::audit::{Entry, Outcome};

use super::{Caller, Stopped};
use crate::error::Code;

/// The longest name of an operation that is written down.
const LONGEST_NAME: usize = 200;

/// What a request will have to account for.
#[derive(Debug, Default)]
pub(super) struct Journal {
    /// It ran: there is an answer.
    ran: bool,
    /// A field was asked.
    asked: bool,
    /// A change was written, with its own entry.
    changed: bool,
    /// The charts that were asked for as of a moment.
    looked_back: BTreeSet<(PatientId, DateTime<Utc>)>,
    /// What was refused or failed: where, how, and by which code. The same in a list's every row is one.
    lost: BTreeSet<(&'static str, Outcome, String)>,
}

impl Caller {
    /// Says which operation of its document the request runs; of a nameless one, the fields it asks for.
    pub(crate) fn name_operation(&self, name: impl FnOnce() -> String) {
        self.0.factory.name_operation(|| name().chars().take(LONGEST_NAME).collect());
    }

    /// Notes that the operation runs.
    pub(crate) fn note_ran(&self) {
        self.journal().ran = true;
    }

    /// Notes that a field was asked.
    pub(super) fn note_asked(&self) {
        self.journal().asked = true;
    }

    /// Notes that a chart was asked for as of a moment.
    pub(crate) fn note_looked_back(&self, patient: PatientId, at: DateTime<Utc>) {
        self.journal().looked_back.insert((patient, at));
    }

    /// Notes that a change was written.
    pub(super) fn note_changed(&self) {
        self.journal().changed = true;
    }

    /// Notes that what a coordinate stands for was refused or failed.
    pub(crate) fn note_lost(&self, coordinate: &'static str, code: Code) {
        let outcome = match code {
            Code::Unauthenticated
            | Code::Forbidden
            | Code::StepUpRequired
            | Code::SecondFactorRequired
            | Code::BreakGlassRequired
            | Code::ConsentRequired => Outcome::Denied,
            _ => Outcome::Failed,
        };
        self.journal().lost.insert((coordinate, outcome, code.as_str().to_owned()));
    }

    /// Notes that the rules refused a change.
    pub(super) fn note_refused(&self, coordinate: &'static str, reason: String) {
        self.journal().lost.insert((coordinate, Outcome::Failed, reason));
    }

    /// Writes down what was disclosed, refused, or merely asked. To be called before the answer leaves.
    pub(crate) async fn finish(&self) -> Result<(), Stopped> {
        let Journal { ran, asked, changed, looked_back, lost } = std::mem::take(&mut *self.journal());
        let disclosed = self.0.read.disclosed();
        if !self.is_known() {
            if lost.iter().any(|(_, outcome, _)| *outcome == Outcome::Denied) {
                self.0.factory.count_stranger("graphql");
            }
            return Ok(());
        }
        let must = self.is_recalled()
            || disclosed.is_some()
            || !looked_back.is_empty()
            || (lost.is_empty() && asked);
        let mut entries: Vec<_> = lost
            .into_iter()
            .map(|(coordinate, outcome, reason)| Entry::done(coordinate).ended(outcome).because(reason))
            .collect();
        entries.extend(looked_back.into_iter().map(|(patient, at)| {
            let moment = at.to_rfc3339_opts(SecondsFormat::Micros, true);
            Entry::done("chart.as-of").of(patient.0).because(moment)
        }));
        entries.extend(disclosed);
        if entries.is_empty() && asked && !changed {
            entries.push(Entry::done("read"));
        }
        if !ran && entries.is_empty() {
            return Ok(());
        }
        match self.record(entries).await {
            // Nothing was done and nothing is told: the caller learns why, even if the log can't.
            Err(Stopped::Failed(failure)) if !must => {
                tracing::error!(error = %failure, "a failed attempt could not be written down");
                Ok(())
            }
            written => written,
        }
    }
}
