//! Clinical rules, and what they found.

mod inputs;
mod mutation;
mod query;
mod types;

pub(crate) use mutation::RuleMutation;
pub(crate) use query::RuleQuery;
pub(crate) use types::ClinicalRule;

use praxis_platform::access::Permission;

use crate::policy::{PhiCategory, Rule, inherited, needs, phi};

pub(crate) const POLICY: &[Rule] = &[
    inherited(
        "Rule",
        &[
            "id",
            "version",
            "createdAt",
            "updatedAt",
            "code",
            "edition",
            "title",
            "severity",
            "cause",
            "evidence",
            "status",
            "startsAt",
            "endsAt",
        ],
    ),
    needs(
        "Rule",
        Permission::RULE_READ,
        &["condition", "actions", "cases", "authorName", "approvedByName", "approvedAt", "allowedActions"],
    ),
    inherited(
        "RuleAction",
        &["kind", "expiresAfterMinutes", "taskCode", "role", "priority", "dueMinutes", "text"],
    ),
    inherited("RuleTestCase", &["name", "facts", "fires"]),
    inherited("RuleFact", &["name", "number", "text", "flag", "texts"]),
    inherited("RuleFactSpec", &["name", "kind", "meaning"]),
    needs("RuleCheck", Permission::ALERT_READ, &["rule", "result", "reason", "checkedAt", "redactions"]),
    phi("RuleCheck", Permission::ALERT_READ, PhiCategory::Clinical, &["parts", "facts", "missing"]),
    inherited("RulePart", &["text", "held"]),
    needs("Query", Permission::RULE_READ, &["rules", "rule", "ruleFacts"]),
    needs("Query", Permission::ALERT_READ, &["decisionSupport"]),
    needs("Mutation", Permission::RULE_AUTHOR, &["ruleDraft", "ruleTest"]),
    needs("Mutation", Permission::RULE_APPROVE, &["ruleActivate", "ruleRetire"]),
    inherited("RuleDraftPayload", &["rule", "userErrors"]),
    inherited("RuleTestPayload", &["rule", "userErrors"]),
    inherited("RuleActivatePayload", &["rule", "userErrors"]),
    inherited("RuleRetirePayload", &["rule", "userErrors"]),
];
