//! Observations: measurements and findings.

mod inputs;
mod query;
mod types;
mod vitals;

pub(crate) use inputs::ObservationFilter;
pub(crate) use query::ObservationQuery;
pub(crate) use types::{Observation, ObservationConnection};
pub(crate) use vitals::{VitalSigns, VitalsMutation};

use praxis_platform::access::Permission;

use crate::policy::{PhiCategory, Rule, inherited, needs, phi};

pub(crate) const POLICY: &[Rule] = &[
    needs(
        "Observation",
        Permission::OBSERVATION_READ,
        &[
            "id",
            "version",
            "createdAt",
            "updatedAt",
            "redactions",
            "confidentiality",
            "viewerPermissions",
            "allowedActions",
            "patient",
            "encounter",
            "performer",
            "category",
            "status",
            "effectiveAt",
            "issuedAt",
        ],
    ),
    phi(
        "Observation",
        Permission::OBSERVATION_READ,
        PhiCategory::Clinical,
        &[
            "code",
            "value",
            "absentReason",
            "interpretations",
            "referenceRanges",
            "components",
            "bodySite",
            "method",
            "notes",
        ],
    ),
    inherited(
        "ObservationComponent",
        &["code", "value", "absentReason", "interpretations", "referenceRanges"],
    ),
    inherited("ObservationConnection", &["edges", "nodes", "pageInfo", "totalCount"]),
    inherited("ObservationEdge", &["cursor", "node"]),
    needs("Query", Permission::OBSERVATION_READ, &["observation"]),
    inherited("VitalSigns", &["takenAt", "takenBy", "observations"]),
    phi("VitalSigns", Permission::OBSERVATION_READ, PhiCategory::Clinical, &["earlyWarningScore"]),
    inherited("EarlyWarningScore", &["score", "points", "missing", "risk"]),
    needs("Mutation", Permission::VITALS_RECORD, &["vitalsRecord", "observationEnterInError"]),
    inherited("ObservationEnterInErrorPayload", &["observation", "userErrors"]),
    inherited("VitalsRecordPayload", &["encounter", "vitalSigns", "userErrors"]),
];
