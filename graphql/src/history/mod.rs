//! Problems and diagnoses.

mod inputs;
mod query;
mod types;

pub(crate) use inputs::ConditionFilter;
pub(crate) use query::ConditionQuery;
pub(crate) use types::{Condition, ConditionConnection};

use praxis_platform::access::Permission;

use crate::policy::{PhiCategory, Rule, inherited, needs, phi};

pub(crate) const POLICY: &[Rule] = &[
    needs(
        "Condition",
        Permission::CONDITION_READ,
        &[
            "id",
            "version",
            "createdAt",
            "updatedAt",
            "redactions",
            "confidentiality",
            "viewerPermissions",
            "patient",
            "encounter",
            "recorder",
            "category",
            "clinicalStatus",
            "verificationStatus",
            "recordedAt",
            "abatedAt",
        ],
    ),
    phi(
        "Condition",
        Permission::CONDITION_READ,
        PhiCategory::Clinical,
        &["code", "severity", "bodySites", "onsetAt", "notes"],
    ),
    inherited("ConditionConnection", &["edges", "nodes", "pageInfo", "totalCount"]),
    inherited("ConditionEdge", &["cursor", "node"]),
    needs("Query", Permission::CONDITION_READ, &["condition"]),
];
