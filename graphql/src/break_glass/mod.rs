//! Emergency access to one patient's record: declared, ended, reviewed.

mod inputs;
mod mutation;
mod query;
mod types;

pub(crate) use mutation::BreakGlassMutation;
pub(crate) use query::BreakGlassQuery;

use praxis_platform::access::Permission;

use crate::policy::{Access, PhiCategory, Rule, inherited, needs, open, phi};

pub(crate) const POLICY: &[Rule] = &[
    // Who may know of a declaration is decided for each: reviewers of all, others of their own.
    inherited(
        "BreakGlass",
        &[
            "id",
            "version",
            "createdAt",
            "updatedAt",
            "userId",
            "mine",
            "patientId",
            "patient",
            "category",
            "classes",
            "status",
            "allowedActions",
            "declaredAt",
            "expiresAt",
            "endedAt",
            "reviewDueAt",
            "overdue",
            "reviewedAt",
        ],
    ),
    phi("BreakGlass", Permission::BREAK_GLASS_REVIEW, PhiCategory::FreeText, &["reason", "finding"]),
    inherited("BreakGlassConnection", &["edges", "nodes", "pageInfo", "totalCount"]),
    inherited("BreakGlassEdge", &["cursor", "node"]),
    open("Query", Access::SignedIn, &["breakGlass", "breakGlasses"]),
    needs("Mutation", Permission::BREAK_GLASS_USE, &["breakGlassDeclare"]),
    // Its author ends it, or a reviewer; the rule tells them apart.
    open("Mutation", Access::SignedIn, &["breakGlassEnd"]),
    needs("Mutation", Permission::BREAK_GLASS_REVIEW, &["breakGlassReview"]),
    inherited("BreakGlassDeclarePayload", &["breakGlass", "userErrors"]),
    inherited("BreakGlassEndPayload", &["breakGlass", "userErrors"]),
    inherited("BreakGlassReviewPayload", &["breakGlass", "userErrors"]),
];
