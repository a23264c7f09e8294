//! What follows when a step's task ends: the next steps open, or the workflow is over.

use chrono::TimeDelta;
use praxis_entity::{
    ids::AnyId,
    task,
    workflow_instance::{self, Column, InstanceStatus},
    workflow_step,
};
use praxis_platform::{Op, Write, audit::Entry, literal::Literal};
use sea_orm::{
    ActiveValue::{Set, Unchanged},
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::LockType,
};

use super::steps::{StepState, progress};
use crate::{
    Result,
    event::{self, Event, Recorded},
    tasks,
};

/// A task has ended: its workflow goes on, if it is of one that runs.
pub async fn task_ended(op: &Op<Write>, recorded: &Recorded) -> Result<()> {
    let AnyId::TaskId(id) = recorded.event.subject() else { return Ok(()) };
    let Some(task) = task::Entity::find_by_id(id).one(op.db()).await? else { return Ok(()) };
    let Some(instance) = task.instance_id else { return Ok(()) };
    // Steps that end at the same time go on one after the other, and each sees what the one before opened.
    let running = workflow_instance::Entity::find_by_id(instance)
        .filter(Column::Status.is(InstanceStatus::Running))
        .lock(LockType::NoKeyUpdate)
        .one(op.db())
        .await?;
    match running {
        Some(running) => advance(op, running).await.map(drop),
        None => Ok(()),
    }
}

/// Opens what is due, and ends what is over.
pub(super) async fn advance(
    op: &Op<Write>,
    instance: workflow_instance::Model,
) -> Result<workflow_instance::Model> {
    let steps = workflow_step::Entity::find()
        .filter(workflow_step::Column::DefinitionId.eq(instance.definition_id))
        .order_by_asc(workflow_step::Column::Position)
        .all(op.db())
        .await?;
    let of_it = task::Entity::find().filter(task::Column::InstanceId.eq(instance.id));
    let of_it = of_it.order_by_asc(task::Column::Id).all(op.db()).await?;
    let states = progress(&steps, &of_it);
    if states.iter().any(|(_, state)| *state == StepState::Failed) {
        let failed = end(op, &instance, InstanceStatus::Failed).await?;
        tasks::react::workflow_over(op, instance.id).await?;
        return Ok(failed);
    }
    let mut open = false;
    for (step, (_, state)) in steps.iter().zip(&states) {
        open |= matches!(state, StepState::Open | StepState::Due | StepState::Waiting);
        if *state == StepState::Due {
            open_step(op, &instance, step).await?;
        }
    }
    if open { Ok(instance) } else { end(op, &instance, InstanceStatus::Completed).await }
}

async fn open_step(
    op: &Op<Write>,
    instance: &workflow_instance::Model,
    step: &workflow_step::Model,
) -> Result<()> {
    let new = tasks::NewTask {
        patient: instance.patient_id,
        encounter: instance.encounter_id,
        priority: step.priority,
        role: Some(step.role_code.clone()),
        due_at: step.due_minutes.map(|minutes| op.now() + TimeDelta::minutes(minutes.into())),
        step: Some((instance.id, step.key.clone())),
        ..tasks::NewTask::of(step.task_code.clone())
    };
    tasks::create(op, new).await.map(drop)
}

/// Ends a workflow.
pub(super) async fn end(
    op: &Op<Write>,
    instance: &workflow_instance::Model,
    status: InstanceStatus,
) -> Result<workflow_instance::Model> {
    let change = workflow_instance::ActiveModel {
        id: Unchanged(instance.id),
        status: Set(status),
        ended_at: Set(Some(op.now())),
        ..Default::default()
    };
    let ended = workflow_instance::Entity::update(change).exec(op.db()).await?;
    let action = match status {
        InstanceStatus::Completed => "workflow.complete",
        InstanceStatus::Failed => "workflow.fail",
        InstanceStatus::Running | InstanceStatus::Cancelled => "workflow.cancel",
    };
    let entry = Entry::done(action).on("WorkflowInstance", ended.id.0, ended.version);
    op.record(Entry { patients: ended.patient_id.into_iter().map(|patient| patient.0).collect(), ..entry });
    let (instance, patient, encounter) = (ended.id, ended.patient_id, ended.encounter_id);
    let event = match status {
        InstanceStatus::Completed => Event::WorkflowCompleted { instance, patient, encounter },
        InstanceStatus::Failed => Event::WorkflowFailed { instance, patient, encounter },
        InstanceStatus::Running | InstanceStatus::Cancelled => {
            Event::WorkflowCancelled { instance, patient, encounter }
        }
    };
    event::happened(op, event).await?;
    Ok(ended)
}
