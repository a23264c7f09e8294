//! The audit log: who did and read what, the patient's own access log, disclosures to others, alerts.

mod access;
mod alerts;
mod changes;
mod disclosures;
mod entry;
mod inputs;
mod query;
mod stored;

pub(crate) use access::AccessLogConnection;
pub(crate) use alerts::{AlertMutation, AlertQuery};
pub(crate) use disclosures::{DisclosureConnection, DisclosureMutation};
pub(crate) use query::AuditQuery;

use praxis_platform::access::Permission;

use crate::policy::{PhiCategory, Rule, inherited, needs, phi};

pub(crate) const POLICY: &[Rule] = &[
    needs("Query", Permission::AUDIT_READ, &["auditEntries"]),
    needs("Query", Permission::SECURITY_ALERT_READ, &["securityAlerts", "alertRules"]),
    needs("Mutation", Permission::DISCLOSURE_RECORD, &["disclosureRecord"]),
    needs("Mutation", Permission::SECURITY_ALERT_CLOSE, &["securityAlertClose"]),
    needs("Mutation", Permission::SETTINGS_MANAGE, &["alertRuleUpdate"]),
    needs("Patient", Permission::ACCESS_LOG_READ, &["accessLog", "disclosures"]),
    inherited(
        "AuditEntry",
        &[
            "id",
            "at",
            "actorKind",
            "actorId",
            "actorName",
            "roles",
            "sessionId",
            "facilityId",
            "patientIds",
            "action",
            "objectType",
            "objectId",
            "objectVersion",
            "classes",
            "purpose",
            "operationName",
            "operationHash",
            "requestId",
            "sourceAddress",
            "outcome",
            "reason",
            "times",
            "breakGlassId",
            "proof",
        ],
    ),
    phi("AuditEntry", Permission::AUDIT_CHANGE_READ, PhiCategory::FreeText, &["changes"]),
    inherited("AuditFieldChange", &["field", "before", "after"]),
    inherited("AuditEntryConnection", &["edges", "nodes", "pageInfo", "totalCount"]),
    inherited("AuditEntryEdge", &["cursor", "node"]),
    inherited("AuditProof", &["index", "leafHash", "text"]),
    needs("AuditProof", Permission::AUDIT_READ, &["line"]),
    inherited(
        "AccessLogEntry",
        &[
            "id",
            "at",
            "actorKind",
            "actorName",
            "roles",
            "purpose",
            "action",
            "classes",
            "outcome",
            "breakGlass",
            "proof",
        ],
    ),
    inherited("AccessLogConnection", &["edges", "nodes", "pageInfo", "totalCount"]),
    inherited("AccessLogEdge", &["cursor", "node"]),
    inherited("Disclosure", &["id", "createdAt", "disclosedAt", "purpose", "recordedBy"]),
    phi(
        "Disclosure",
        Permission::ACCESS_LOG_READ,
        PhiCategory::FreeText,
        &["recipient", "recipientAddress", "description", "reason"],
    ),
    inherited("DisclosureConnection", &["edges", "nodes", "pageInfo", "totalCount"]),
    inherited("DisclosureEdge", &["cursor", "node"]),
    inherited("DisclosureRecordPayload", &["disclosure", "userErrors"]),
    inherited(
        "SecurityAlert",
        &[
            "id",
            "version",
            "createdAt",
            "updatedAt",
            "kind",
            "status",
            "allowedActions",
            "actorId",
            "actorName",
            "patientId",
            "entryId",
            "seen",
            "threshold",
            "windowMinutes",
            "closedAt",
            "closedBy",
            "resolution",
        ],
    ),
    inherited("SecurityAlertConnection", &["edges", "nodes", "pageInfo", "totalCount"]),
    inherited("SecurityAlertEdge", &["cursor", "node"]),
    inherited("SecurityAlertClosePayload", &["securityAlert", "userErrors"]),
    inherited("AlertRule", &["kind", "enabled", "threshold", "windowMinutes"]),
    inherited("AlertRuleUpdatePayload", &["alertRule", "userErrors"]),
];
