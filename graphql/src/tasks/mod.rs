//! What somebody has to do.

mod inputs;
mod lists;
mod mutation;
mod query;
mod types;

pub(crate) use lists::{EncounterTasks, PatientTasks};
pub(crate) use mutation::TaskMutation;
pub(crate) use query::TaskQuery;
pub(crate) use types::{Task, TaskPriority};

use praxis_platform::access::Permission;

use crate::policy::{PhiCategory, Rule, inherited, needs, phi};

pub(crate) const POLICY: &[Rule] = &[
    needs(
        "Task",
        Permission::TASK_READ,
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
            "focus",
            "code",
            "priority",
            "status",
            "ownerId",
            "ownerName",
            "role",
            "requestedById",
            "requestedByName",
            "dueAt",
            "overdue",
            "startedAt",
            "endedAt",
            "outcome",
        ],
    ),
    phi("Task", Permission::TASK_CONTENT_READ, PhiCategory::FreeText, &["description", "result", "reason"]),
    inherited("TaskConnection", &["edges", "nodes", "pageInfo", "totalCount"]),
    inherited("TaskEdge", &["cursor", "node"]),
    inherited("TaskCounts", &["mine", "myRoles", "unclaimed", "overdue"]),
    needs("Patient", Permission::TASK_READ, &["tasks"]),
    needs("Encounter", Permission::TASK_READ, &["tasks"]),
    needs("Query", Permission::TASK_READ, &["task", "tasks", "taskCounts"]),
    needs("Mutation", Permission::TASK_CREATE, &["taskCreate", "taskCancel"]),
    needs(
        "Mutation",
        Permission::TASK_WORK,
        &["taskAssign", "taskClaim", "taskStart", "taskHold", "taskResume", "taskComplete", "taskReject"],
    ),
    inherited("TaskCreatePayload", &["task", "userErrors"]),
    inherited("TaskAssignPayload", &["task", "userErrors"]),
    inherited("TaskClaimPayload", &["task", "userErrors"]),
    inherited("TaskStartPayload", &["task", "userErrors"]),
    inherited("TaskHoldPayload", &["task", "userErrors"]),
    inherited("TaskResumePayload", &["task", "userErrors"]),
    inherited("TaskCompletePayload", &["task", "userErrors"]),
    inherited("TaskRejectPayload", &["task", "userErrors"]),
    inherited("TaskCancelPayload", &["task", "userErrors"]),
];
