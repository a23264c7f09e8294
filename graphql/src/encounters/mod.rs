//! Visits that took place or are under way.

mod inputs;
mod mutation;
mod query;
mod timeline;
mod types;
mod visit_policy;

pub(crate) use inputs::EncounterFilter;
pub(crate) use mutation::{EncounterMutation, encounter_payload};
pub(crate) use query::EncounterQuery;
pub(crate) use types::{Encounter, EncounterConnection};
pub(crate) use visit_policy::{VisitPolicyMutation, VisitPolicyQuery};

use praxis_platform::access::Permission;

use crate::policy::{PhiCategory, Rule, inherited, needs, phi};

pub(crate) const POLICY: &[Rule] = &[
    needs(
        "Encounter",
        Permission::ENCOUNTER_READ,
        &[
            "id",
            "version",
            "createdAt",
            "updatedAt",
            "redactions",
            "confidentiality",
            "viewerPermissions",
            "patient",
            "practitioner",
            "facility",
            "serviceProvider",
            "participants",
            "class",
            "status",
            "plannedFor",
            "startedAt",
            "endedAt",
            "closedAt",
            "allowedActions",
            "timeline",
        ],
    ),
    phi(
        "Encounter",
        Permission::ENCOUNTER_CLINICAL_READ,
        PhiCategory::Clinical,
        &["types", "reasons", "dischargeDisposition"],
    ),
    needs(
        "Encounter",
        Permission::ENCOUNTER_CLINICAL_READ,
        &["assessment", "plan", "notes", "closeRequirements"],
    ),
    needs("Encounter", Permission::OBSERVATION_READ, &["observations", "vitalSigns"]),
    needs("Encounter", Permission::CONDITION_READ, &["conditions", "diagnoses"]),
    inherited("EncounterParticipant", &["practitioner", "role", "startsAt", "endsAt"]),
    inherited("EncounterEvent", &["id", "sequence", "kind", "occurredAt", "actorId", "actorName"]),
    inherited("EncounterEventConnection", &["edges", "nodes", "pageInfo", "totalCount"]),
    inherited("EncounterEventEdge", &["cursor", "node"]),
    inherited("EncounterConnection", &["edges", "nodes", "pageInfo", "totalCount"]),
    inherited("EncounterEdge", &["cursor", "node"]),
    inherited("VisitPolicy", &["class", "version", "needsVitals", "needsSignedNote", "reopenDays"]),
    needs("Query", Permission::ENCOUNTER_READ, &["encounter"]),
    needs("Query", Permission::SETTINGS_READ, &["visitPolicies"]),
    needs("Mutation", Permission::SETTINGS_MANAGE, &["visitPolicySet"]),
    inherited("VisitPolicySetPayload", &["visitPolicy", "userErrors"]),
    needs("Mutation", Permission::ENCOUNTER_CREATE, &["encounterCreate"]),
    needs("Mutation", Permission::ENCOUNTER_CHECK_IN, &["encounterCheckIn"]),
    needs("Mutation", Permission::ENCOUNTER_TRIAGE, &["encounterTriage"]),
    needs(
        "Mutation",
        Permission::ENCOUNTER_CONSULT,
        &[
            "encounterStart",
            "encounterHold",
            "encounterResume",
            "encounterParticipantAdd",
            "encounterParticipantEnd",
        ],
    ),
    needs("Mutation", Permission::ENCOUNTER_CANCEL, &["encounterCancel"]),
    needs("Mutation", Permission::ENCOUNTER_REOPEN, &["encounterReopen"]),
    inherited("EncounterCreatePayload", &["encounter", "userErrors"]),
    inherited("EncounterCheckInPayload", &["encounter", "userErrors"]),
    inherited("EncounterTriagePayload", &["encounter", "userErrors"]),
    inherited("EncounterStartPayload", &["encounter", "userErrors"]),
    inherited("EncounterHoldPayload", &["encounter", "userErrors"]),
    inherited("EncounterResumePayload", &["encounter", "userErrors"]),
    inherited("EncounterCancelPayload", &["encounter", "userErrors"]),
    inherited("EncounterReopenPayload", &["encounter", "userErrors"]),
    inherited("EncounterParticipantAddPayload", &["encounter", "userErrors"]),
    inherited("EncounterParticipantEndPayload", &["encounter", "userErrors"]),
];
