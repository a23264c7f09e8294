//! What rules say about patients, and what is replied.

mod mutation;
mod query;
mod types;

pub(crate) use mutation::ClinicalAlertMutation;
pub(crate) use query::ClinicalAlertQuery;
pub(crate) use types::{Alert, AlertSeverity};

use praxis_platform::access::Permission;

use crate::policy::{PhiCategory, Rule, inherited, needs, phi};

pub(crate) const POLICY: &[Rule] = &[
    needs(
        "Alert",
        Permission::ALERT_READ,
        &[
            "id",
            "version",
            "createdAt",
            "updatedAt",
            "redactions",
            "viewerPermissions",
            "allowedActions",
            "patient",
            "encounter",
            "rule",
            "title",
            "severity",
            "status",
            "raisedAt",
            "expiresAt",
            "acknowledgedAt",
            "acknowledgedByName",
            "closedAt",
            "closedByName",
            "overrideReason",
        ],
    ),
    phi("Alert", Permission::ALERT_READ, PhiCategory::FreeText, &["resolution", "justification"]),
    inherited("AlertConnection", &["edges", "nodes", "pageInfo", "totalCount"]),
    inherited("AlertEdge", &["cursor", "node"]),
    needs("Query", Permission::ALERT_READ, &["alert", "alerts"]),
    needs("Mutation", Permission::ALERT_RESPOND, &["alertAcknowledge", "alertResolve", "alertOverride"]),
    inherited("AlertAcknowledgePayload", &["alert", "userErrors"]),
    inherited("AlertResolvePayload", &["alert", "userErrors"]),
    inherited("AlertOverridePayload", &["alert", "userErrors"]),
];
