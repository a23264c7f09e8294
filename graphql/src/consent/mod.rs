//! What patients allow and forbid.

mod mutation;
mod types;

pub(crate) use mutation::ConsentMutation;
pub(crate) use types::Consent;

use praxis_platform::access::Permission;

use crate::policy::{Rule, inherited, needs};

pub(crate) const POLICY: &[Rule] = &[
    needs("Patient", Permission::CONSENT_READ, &["consents"]),
    needs(
        "Consent",
        Permission::CONSENT_READ,
        &[
            "id",
            "version",
            "createdAt",
            "updatedAt",
            "patient",
            "decision",
            "class",
            "scope",
            "facility",
            "role",
            "userId",
            "startsAt",
            "endsAt",
            "revokedAt",
        ],
    ),
    needs("Mutation", Permission::CONSENT_RECORD, &["consentRecord", "consentRevoke"]),
    inherited("ConsentRecordPayload", &["consent", "userErrors"]),
    inherited("ConsentRevokePayload", &["consent", "userErrors"]),
];
