//! What an import did, without a word of content.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use super::source::Invalid;

/// Failures listed one by one; beyond that they are only counted.
const LISTED: usize = 1_000;

/// What became of the resources of one type.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TypeReport {
    /// FHIR type.
    pub resource_type: String,
    /// Resources in the input.
    pub read: u64,
    /// New rows of the domain.
    pub created: u64,
    /// There already: imported before, or known by an identifier.
    pub unchanged: u64,
    /// New, without a model here yet: kept whole and sealed.
    pub kept_sealed: u64,
    /// Not taken in.
    pub failed: u64,
}

/// Why a resource was not taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failed {
    /// The file.
    pub file: String,
    /// Its entry in a bundle or its line in a file of lines, from 1.
    pub position: u64,
    /// Where in the resource, such as `Observation.component[1].valueQuantity.value`.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// What an import did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// By type.
    pub types: Vec<TypeReport>,
    /// The first failures, in the order met.
    pub failures: Vec<Failed>,
    /// How long it took.
    pub duration_ms: u64,
    /// New rows and kept resources per second.
    pub rows_per_second: u64,
}

impl Report {
    /// Resources that were not taken in.
    pub fn failed(&self) -> u64 {
        self.types.iter().map(|one| one.failed).sum()
    }

    /// The counts of a type.
    pub fn of(&self, resource_type: &str) -> TypeReport {
        let found = self.types.iter().find(|one| one.resource_type == resource_type);
        found.cloned().unwrap_or_else(|| TypeReport {
            resource_type: resource_type.to_owned(),
            ..TypeReport::default()
        })
    }
}

/// What is counted while it happens; a batch has its own, added when it is committed.
#[derive(Debug, Default)]
pub(super) struct Tally {
    types: BTreeMap<String, TypeReport>,
    failures: Vec<Failed>,
}

impl Tally {
    pub(super) fn created(&mut self, kind: &str) {
        self.read(kind).created += 1;
    }

    pub(super) fn unchanged(&mut self, kind: &str) {
        self.read(kind).unchanged += 1;
    }

    pub(super) fn kept(&mut self, kind: &str) {
        self.read(kind).kept_sealed += 1;
    }

    pub(super) fn failed(&mut self, kind: &str, file: &str, position: u64, invalid: Invalid) {
        self.read(kind).failed += 1;
        if self.failures.len() < LISTED {
            let Invalid { path, reason } = invalid;
            self.failures.push(Failed { file: file.to_owned(), position, path, reason: reason.to_owned() });
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        for (kind, theirs) in other.types {
            let ours = self.counts(&kind);
            ours.read += theirs.read;
            ours.created += theirs.created;
            ours.unchanged += theirs.unchanged;
            ours.kept_sealed += theirs.kept_sealed;
            ours.failed += theirs.failed;
        }
        self.failures.extend(other.failures);
        self.failures.truncate(LISTED);
    }

    pub(super) fn finish(self, duration: Duration) -> Report {
        let types: Vec<TypeReport> = self.types.into_values().collect();
        let rows: u64 = types.iter().map(|one| one.created + one.kept_sealed).sum();
        let milliseconds = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Report {
            types,
            failures: self.failures,
            duration_ms: milliseconds,
            rows_per_second: rows * 1_000 / milliseconds.max(1),
        }
    }

    fn read(&mut self, kind: &str) -> &mut TypeReport {
        let counts = self.counts(kind);
        counts.read += 1;
        counts
    }

    fn counts(&mut self, kind: &str) -> &mut TypeReport {
        self.types
            .entry(kind.to_owned())
            .or_insert_with(|| TypeReport { resource_type: kind.to_owned(), ..TypeReport::default() })
    }
}
