//! What a clinician makes of a visit, and its closing.

mod mutation;
mod types;

pub(crate) use mutation::ConsultationMutation;
pub(crate) use types::{CloseRequirement, Diagnosis, EncounterNote};

use praxis_platform::access::Permission;

use crate::policy::{PhiCategory, Rule, inherited, needs, phi};

pub(crate) const POLICY: &[Rule] = &[
    inherited("EncounterNote", &["kind", "version", "recordedAt", "recordedBy", "document"]),
    phi("EncounterNote", Permission::ENCOUNTER_CLINICAL_READ, PhiCategory::FreeText, &["text"]),
    inherited("Diagnosis", &["id", "rank", "use", "recordedAt", "condition"]),
    inherited("CloseRequirement", &["code", "message", "node"]),
    needs("Mutation", Permission::ENCOUNTER_CONSULT, &["assessmentRecord", "planRecord"]),
    needs("Mutation", Permission::ENCOUNTER_CLOSE, &["encounterClose"]),
    inherited("AssessmentRecordPayload", &["encounter", "userErrors"]),
    inherited("PlanRecordPayload", &["encounter", "userErrors"]),
    inherited("EncounterClosePayload", &["encounter", "userErrors"]),
];
