//! Registered operations, and the programs that may call them.

mod mutation;
mod query;
mod types;

pub(crate) use mutation::OperationMutation;
pub(crate) use query::OperationQuery;

use praxis_platform::access::Permission;

use crate::policy::{Rule, inherited, needs};

pub(crate) const POLICY: &[Rule] = &[
    inherited(
        "RegisteredOperation",
        &[
            "id",
            "documentId",
            "name",
            "kind",
            "cost",
            "depth",
            "byGet",
            "status",
            "allowedActions",
            "createdAt",
            "retiredAt",
        ],
    ),
    inherited(
        "ApiClient",
        &[
            "id",
            "version",
            "createdAt",
            "updatedAt",
            "name",
            "permissions",
            "operations",
            "ratePoints",
            "rateRestore",
            "status",
            "allowedActions",
            "secrets",
        ],
    ),
    inherited("ApiClientSecret", &["createdAt", "expiresAt"]),
    needs("Query", Permission::OPERATION_READ, &["registeredOperations", "apiClients"]),
    needs(
        "Mutation",
        Permission::OPERATION_MANAGE,
        &["apiClientCreate", "apiClientRotateSecret", "apiClientRetire"],
    ),
    inherited("ApiClientCreatePayload", &["apiClient", "secret", "userErrors"]),
    inherited("ApiClientRotateSecretPayload", &["apiClient", "secret", "userErrors"]),
    inherited("ApiClientRetirePayload", &["apiClient", "userErrors"]),
];
