//! Visits that took place or are under way.

mod inputs;
mod query;
mod types;

pub(crate) use inputs::EncounterFilter;
pub(crate) use query::EncounterQuery;
pub(crate) use types::{Encounter, EncounterConnection};

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
            "startedAt",
            "endedAt",
        ],
    ),
    phi(
        "Encounter",
        Permission::ENCOUNTER_CLINICAL_READ,
        PhiCategory::Clinical,
        &["types", "reasons", "dischargeDisposition"],
    ),
    needs("Encounter", Permission::OBSERVATION_READ, &["observations"]),
    needs("Encounter", Permission::CONDITION_READ, &["conditions"]),
    inherited("EncounterParticipant", &["practitioner", "role"]),
    inherited("EncounterConnection", &["edges", "nodes", "pageInfo", "totalCount"]),
    inherited("EncounterEdge", &["cursor", "node"]),
    needs("Query", Permission::ENCOUNTER_READ, &["encounter"]),
];
