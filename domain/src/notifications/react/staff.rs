//! What staff are told of tasks, alerts and documents, and what is taken back once it is not so any more.

use std::collections::BTreeSet;

use praxis_entity::{
    alert::{self, AlertStatus},
    clinical_document::{self, DocumentStatus},
    ids::{AlertId, DocumentId, TaskId, UserId},
    rule::AlertSeverity,
    task::{self, TaskStatus},
};
use praxis_platform::{
    Op, Write,
    access::{Permission, Row},
};
use sea_orm::EntityTrait;

use super::{
    super::whom::{at_visit, holding, in_role, responsible, who_may},
    alert_answered, alert_raised, document_cosigned, document_to_cosign, task_assigned, task_ended,
    task_escalated,
};
use crate::{
    Result,
    event::{Event, Recorded},
};

/// Something became of a task: whom it is asked of by name learns of it; what is asked of a role stands in the inbox
/// of all who hold it. When it is late, those are told who were asked, then who asked, and in the end those who lead.
pub async fn task_changed(op: &Op<Write>, recorded: &Recorded) -> Result<()> {
    let occasion = recorded.id.to_string();
    match recorded.event {
        Event::TaskCreated { task, .. } | Event::TaskAssigned { task, .. } => {
            let Some(row) = task_at(op, task).await?.filter(|row| row.status == TaskStatus::Requested) else {
                return Ok(());
            };
            // Whoever had it before is asked no more.
            task_ended(op, task).await?;
            // Nobody is told of what they did themselves.
            let asked = row.owner_id.filter(|owner| recorded.actor != Some(owner.0));
            let to = who_may_see(op, &row, asked.into_iter().collect()).await?;
            task_assigned(op, task, &to, &occasion).await
        }
        Event::TaskEscalated { task, level, .. } => {
            let Some(row) = task_at(op, task).await?.filter(|row| row.status.is_open()) else {
                return Ok(());
            };
            let mut to = who_may_see(op, &row, late(op, &row, level).await?).await?;
            if to.is_empty() {
                to = who_may_see(op, &row, holding(op, Permission::TASK_ASSIGN).await?).await?;
            }
            task_escalated(op, task, &to, &occasion).await
        }
        Event::TaskCompleted { task, .. }
        | Event::TaskFailed { task, .. }
        | Event::TaskRejected { task, .. }
        | Event::TaskCancelled { task, .. } => task_ended(op, task).await,
        _ => Ok(()),
    }
}

async fn late(op: &Op<Write>, row: &task::Model, level: i16) -> Result<BTreeSet<UserId>> {
    Ok(match (level, row.owner_id, row.role_code.as_deref()) {
        (..=1, Some(owner), _) => BTreeSet::from([owner]),
        (..=1, None, Some(role)) => in_role(op, role).await?,
        (2, ..) => row.requested_by.into_iter().collect(),
        _ => holding(op, Permission::TASK_ASSIGN).await?,
    })
}

async fn task_at(op: &Op<Write>, id: TaskId) -> Result<Option<task::Model>> {
    Ok(task::Entity::find_by_id(id).one(op.db()).await?)
}

async fn who_may_see(op: &Op<Write>, row: &task::Model, users: BTreeSet<UserId>) -> Result<Vec<UserId>> {
    let of = row.patient_id.map(|patient| (patient, Row::from(row)));
    who_may(op, users, &[Permission::TASK_READ], of).await
}

/// A rule said something about a patient, or somebody replied. Those at the visit are told; where nobody of them may
/// know of it, whoever responds to alerts: none goes by unseen. What is only good to know waits until somebody looks.
pub async fn alert_changed(op: &Op<Write>, recorded: &Recorded) -> Result<()> {
    match recorded.event {
        Event::AlertRaised { alert, severity, .. } if severity != AlertSeverity::Info => {
            raised(op, alert).await
        }
        Event::AlertAcknowledged { alert, .. }
        | Event::AlertResolved { alert, .. }
        | Event::AlertOverridden { alert, .. }
        | Event::AlertExpired { alert, .. } => alert_answered(op, alert).await,
        _ => Ok(()),
    }
}

async fn raised(op: &Op<Write>, id: AlertId) -> Result<()> {
    let row = alert::Entity::find_by_id(id).one(op.db()).await?;
    let Some(row) = row.filter(|row| row.status == AlertStatus::Open) else { return Ok(()) };
    let of = Some((row.patient_id, Row::from(&row)));
    let near = match row.encounter_id {
        Some(visit) => at_visit(op, visit).await?,
        None => BTreeSet::new(),
    };
    let mut to = who_may(op, near, &[Permission::ALERT_READ], of).await?;
    if to.is_empty() {
        let all = holding(op, Permission::ALERT_RESPOND).await?;
        to = who_may(op, all, &[Permission::ALERT_RESPOND, Permission::ALERT_READ], of).await?;
    }
    alert_raised(op, id, &to).await
}

/// A document was signed. While it waits for a second signature, whoever answers for its visit is told, if they may
/// give it; else all who may. Once it does not wait any more, that is taken back.
pub async fn document_changed(op: &Op<Write>, recorded: &Recorded) -> Result<()> {
    match recorded.event {
        Event::DocumentAwaitsCosignature { document, .. }
        | Event::DocumentAmended { document, .. }
        | Event::DocumentAddendumSigned { document, .. } => to_cosign(op, document, recorded).await,
        Event::DocumentSigned { document, .. } | Event::DocumentEnteredInError { document, .. } => {
            document_cosigned(op, document).await
        }
        _ => Ok(()),
    }
}

async fn to_cosign(op: &Op<Write>, id: DocumentId, recorded: &Recorded) -> Result<()> {
    let row = clinical_document::Entity::find_by_id(id).one(op.db()).await?;
    let Some(row) = row.filter(|row| row.status == DocumentStatus::InReview) else {
        return document_cosigned(op, id).await;
    };
    let of = Some((row.patient_id, Row::from(&row)));
    let others = |mut users: BTreeSet<UserId>| {
        users.retain(|user| recorded.actor != Some(user.0));
        users
    };
    let near = match row.encounter_id {
        Some(visit) => responsible(op, visit).await?,
        None => BTreeSet::new(),
    };
    // Nobody signs what they can't read.
    let both = [Permission::DOCUMENT_COSIGN, Permission::DOCUMENT_CONTENT_READ];
    let mut to = who_may(op, others(near), &both, of).await?;
    if to.is_empty() {
        let all = holding(op, Permission::DOCUMENT_COSIGN).await?;
        to = who_may(op, others(all), &both, of).await?;
    }
    document_to_cosign(op, id, &to, &recorded.id.to_string()).await
}
