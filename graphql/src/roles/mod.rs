//! Roles, permissions, and who holds what.

mod mutation;
mod query;
mod types;

pub(crate) use mutation::RoleMutation;
pub(crate) use query::RoleQuery;

use praxis_platform::access::Permission;

use crate::policy::{Rule, inherited, needs};

pub(crate) const POLICY: &[Rule] = &[
    needs(
        "Role",
        Permission::ROLE_READ,
        &[
            "id",
            "version",
            "createdAt",
            "updatedAt",
            "code",
            "name",
            "description",
            "retired",
            "customised",
            "everything",
            "permissions",
            "conditions",
        ],
    ),
    inherited("RoleCondition", &["permission", "condition"]),
    inherited("PermissionDescription", &["code", "description"]),
    needs(
        "AccessGrant",
        Permission::USER_READ,
        &[
            "id",
            "userId",
            "displayName",
            "email",
            "active",
            "roleId",
            "role",
            "facility",
            "since",
            "lastSignInAt",
        ],
    ),
    inherited("AccessGrantConnection", &["edges", "nodes", "pageInfo", "totalCount"]),
    inherited("AccessGrantEdge", &["cursor", "node"]),
    needs("Query", Permission::ROLE_READ, &["role", "roles", "permissions", "accessReview"]),
    needs(
        "Mutation",
        Permission::ROLE_MANAGE,
        &["roleCreate", "roleChange", "roleRetire", "roleGrant", "roleRevoke"],
    ),
    inherited("RoleCreatePayload", &["role", "userErrors"]),
    inherited("RoleChangePayload", &["role", "userErrors"]),
    inherited("RoleRetirePayload", &["role", "userErrors"]),
    inherited("RoleGrantPayload", &["grant", "userErrors"]),
    inherited("RoleRevokePayload", &["role", "userErrors"]),
];
