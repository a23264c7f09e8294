//! A patient's chart as it was known at a moment.

mod types;

pub(crate) use types::Chart;

use praxis_platform::access::Permission;

use crate::policy::{Rule, inherited, needs};

pub(crate) const POLICY: &[Rule] = &[
    needs("Patient", Permission::PATIENT_READ, &["chart"]),
    inherited("Chart", &["asOf", "complete"]),
    needs("Chart", Permission::CONDITION_READ, &["conditions"]),
    needs("Chart", Permission::ALLERGY_READ, &["allergies"]),
    needs("Chart", Permission::MEDICATION_READ, &["medicationStatements"]),
    needs("Chart", Permission::IMMUNIZATION_READ, &["immunizations"]),
    needs("Chart", Permission::HISTORY_READ, &["procedures", "familyHistory", "socialHistory"]),
    needs("Chart", Permission::OBSERVATION_READ, &["observations"]),
    needs("Chart", Permission::ENCOUNTER_READ, &["encounters"]),
    needs("Chart", Permission::DOCUMENT_READ, &["documents"]),
];
