//! People who sign in, and those who are invited to.

mod mutation;
mod query;
mod types;

pub(crate) use mutation::IdentityMutation;
pub(crate) use query::IdentityQuery;
pub(crate) use types::{Invitation, User};

use praxis_platform::access::Permission;

use crate::policy::{Rule, inherited, needs};

pub(crate) const POLICY: &[Rule] = &[
    needs(
        "User",
        Permission::USER_READ,
        &[
            "id",
            "version",
            "createdAt",
            "updatedAt",
            "email",
            "displayName",
            "active",
            "practitioner",
            "roles",
            "externalIdentities",
        ],
    ),
    inherited("UserRole", &["id", "code", "name", "facility"]),
    inherited("UserConnection", &["edges", "nodes", "pageInfo", "totalCount"]),
    inherited("UserEdge", &["cursor", "node"]),
    needs(
        "Invitation",
        Permission::USER_READ,
        &[
            "id",
            "version",
            "createdAt",
            "updatedAt",
            "email",
            "displayName",
            "roleCode",
            "facility",
            "practitioner",
            "invitedBy",
            "expiresAt",
            "status",
            "allowedActions",
            "user",
        ],
    ),
    needs("Query", Permission::USER_READ, &["user", "users", "invitations"]),
    needs(
        "Mutation",
        Permission::USER_MANAGE,
        &["userInvite", "invitationResend", "invitationRevoke", "userDisable", "userEnable", "userRename"],
    ),
    inherited("UserInvitePayload", &["invitation", "userErrors"]),
    inherited("InvitationResendPayload", &["invitation", "userErrors"]),
    inherited("InvitationRevokePayload", &["invitation", "userErrors"]),
    inherited("UserDisablePayload", &["user", "userErrors"]),
    inherited("UserEnablePayload", &["user", "userErrors"]),
    inherited("UserRenamePayload", &["user", "userErrors"]),
];
