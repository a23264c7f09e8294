//! Tasks that open one after another.

mod mutation;
mod query;
mod types;

pub(crate) use mutation::WorkflowMutation;
pub(crate) use query::WorkflowQuery;
pub(crate) use types::{WorkflowDefinition, WorkflowInstance};

use praxis_platform::access::Permission;

use crate::policy::{Rule, inherited, needs};

pub(crate) const POLICY: &[Rule] = &[
    needs(
        "WorkflowDefinition",
        Permission::TASK_READ,
        &[
            "id",
            "version",
            "createdAt",
            "updatedAt",
            "code",
            "edition",
            "name",
            "status",
            "steps",
            "allowedActions",
        ],
    ),
    inherited("WorkflowStep", &["key", "task", "role", "priority", "dueMinutes", "guard", "follows"]),
    needs(
        "WorkflowInstance",
        Permission::TASK_READ,
        &[
            "id",
            "version",
            "createdAt",
            "updatedAt",
            "definition",
            "patient",
            "encounter",
            "status",
            "endedAt",
            "tasks",
            "allowedActions",
        ],
    ),
    needs("Query", Permission::TASK_READ, &["workflowDefinitions", "workflowInstance"]),
    needs("Mutation", Permission::WORKFLOW_MANAGE, &["workflowDefine", "workflowActivate", "workflowRetire"]),
    needs("Mutation", Permission::TASK_CREATE, &["workflowStart"]),
    needs("Mutation", Permission::TASK_ASSIGN, &["workflowCancel"]),
    inherited("WorkflowDefinePayload", &["workflowDefinition", "userErrors"]),
    inherited("WorkflowActivatePayload", &["workflowDefinition", "userErrors"]),
    inherited("WorkflowRetirePayload", &["workflowDefinition", "userErrors"]),
    inherited("WorkflowStartPayload", &["workflowInstance", "userErrors"]),
    inherited("WorkflowCancelPayload", &["workflowInstance", "userErrors"]),
];
