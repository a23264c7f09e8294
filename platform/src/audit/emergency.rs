//! What somebody does under emergency access is marked as that, whatever it is.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use praxis_entity::ids::BreakGlassId;
use uuid::Uuid;

use super::Entry;
use crate::access::Actor;

/// Emergency treatment, HL7 v3.
const ETREAT: &str = "ETREAT";

/// The entry, as several where only some of its patients are met under emergency access.
pub(super) fn marked(entry: Entry, actor: &Actor, now: DateTime<Utc>) -> Vec<Entry> {
    if entry.break_glass.is_some() || actor.overrides.is_empty() || entry.patients.is_empty() {
        return vec![entry];
    }
    let mut groups: BTreeMap<Option<BreakGlassId>, Vec<Uuid>> = BTreeMap::new();
    for patient in &entry.patients {
        groups.entry(actor.emergency(*patient, now)).or_default().push(*patient);
    }
    // A change that is sealed beside its entry goes with one of them.
    let mut first = Some((entry.id, entry.change.clone()));
    let part = |(break_glass, patients)| {
        let (id, change) = first.take().unwrap_or_default();
        Entry { id, change, break_glass, patients, ..entry.clone() }
    };
    groups.into_iter().map(part).collect()
}

/// What it was done for.
pub(super) fn purpose(break_glass: Option<BreakGlassId>, otherwise: &'static str) -> &'static str {
    if break_glass.is_some() { ETREAT } else { otherwise }
}
