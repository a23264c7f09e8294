//! Whose turn it is: what follows from owner, role and requester, beyond what a role permits.

use praxis_entity::task;
use praxis_platform::{
    Failure,
    access::{Actor, Permission},
};

use crate::{Result, Violation, ViolationCode};

/// Whether it is the actor's turn to run a mutation on a task. Permission and status are asked apart from this.
pub fn is_turn(actor: &Actor, task: &task::Model, action: &str) -> bool {
    let leads = actor.may(Permission::TASK_ASSIGN);
    let own = actor.user.is_some() && task.owner_id == actor.user;
    match action {
        "taskClaim" => {
            let asked = |role: &String| actor.roles.contains(role);
            own || (task.owner_id.is_none() && task.role_code.as_ref().is_none_or(asked))
        }
        "taskAssign" => own || leads,
        "confidentialitySet" => task.patient_id.is_some(),
        "taskCancel" => leads || (actor.user.is_some() && task.requested_by == actor.user),
        _ => own,
    }
}

/// Refuses unless it is the actor's turn.
pub(super) fn require(actor: &Actor, task: &task::Model, action: &str) -> Result<()> {
    if is_turn(actor, task, action) {
        return Ok(());
    }
    let message = match action {
        "taskClaim" if task.owner_id.is_some() => "Somebody else has it.",
        "taskClaim" => "It was asked of another role.",
        "taskReject" => "Only whoever was asked turns it down.",
        "taskAssign" => return Err(Failure::Forbidden(Permission::TASK_ASSIGN).into()),
        "taskCancel" => "Only whoever asked for it, or leads, calls it off.",
        _ => "Take it on first; only its owner does this.",
    };
    Err(Violation::at(ViolationCode::Locked, &["id"], message).into())
}
