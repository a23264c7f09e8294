//! Workflows and what runs of them.

use std::collections::{HashMap, HashSet};

use praxis_entity::{
    ids::{PatientId, WorkflowDefinitionId, WorkflowInstanceId},
    task,
    workflow_definition::{self, Column, WorkflowStatus},
    workflow_instance, workflow_step,
};
use praxis_platform::{
    Op, Write,
    access::{Permission, Row},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::{
    Detail, Result, Violation, ViolationCode, page::any_of, range::one_of, tasks, transitions::step_here,
};

/// The most definitions of one answer.
const MOST: u64 = 500;

/// Which definitions are wanted.
#[derive(Debug, Clone, Default)]
pub struct DefinitionFilter {
    /// In one of these statuses.
    pub status: Option<Vec<WorkflowStatus>>,
    /// All editions of one workflow.
    pub code: Option<String>,
}

/// Definitions by code, the newest edition first.
pub async fn definitions<M>(
    op: &Op<M>,
    filter: &DefinitionFilter,
) -> Result<Vec<workflow_definition::Model>> {
    op.require(Permission::TASK_READ)?;
    let wanted = Condition::all()
        .add_option(one_of(Column::Status, filter.status.as_deref()))
        .add_option(filter.code.as_ref().map(|code| Column::Code.eq(code)));
    let found = workflow_definition::Entity::find().filter(wanted).order_by_asc(Column::Code);
    Ok(found.order_by_desc(Column::Edition).limit(MOST).all(op.db()).await?)
}

/// The definitions with these ids.
pub async fn definitions_by_ids<M>(
    op: &Op<M>,
    ids: &[WorkflowDefinitionId],
) -> Result<Vec<workflow_definition::Model>> {
    op.require(Permission::TASK_READ)?;
    let wanted = any_of(Column::Id, ids.iter().map(|id| id.0).collect());
    Ok(workflow_definition::Entity::find().filter(wanted).all(op.db()).await?)
}

/// The steps of each definition, each after those that it follows.
pub async fn steps_of<M>(
    op: &Op<M>,
    definitions: &[WorkflowDefinitionId],
) -> Result<HashMap<WorkflowDefinitionId, Vec<workflow_step::Model>>> {
    op.require(Permission::TASK_READ)?;
    let wanted = any_of(workflow_step::Column::DefinitionId, definitions.iter().map(|id| id.0).collect());
    let rows = workflow_step::Entity::find().filter(wanted).order_by_asc(workflow_step::Column::Position);
    let mut of: HashMap<_, Vec<_>> = definitions.iter().map(|id| (*id, Vec::new())).collect();
    for row in rows.all(op.db()).await? {
        of.entry(row.definition_id).or_default().push(row);
    }
    Ok(of)
}

/// What runs or ran with these ids, as far as the patient's record is open to the actor.
pub async fn instances_by_ids<M>(
    op: &Op<M>,
    ids: &[WorkflowInstanceId],
) -> Result<Vec<workflow_instance::Model>> {
    op.require(Permission::TASK_READ)?;
    let wanted = any_of(workflow_instance::Column::Id, ids.iter().map(|id| id.0).collect());
    let mut found = workflow_instance::Entity::find().filter(wanted).all(op.db()).await?;
    if op.actor().user.is_some() {
        let patients: HashSet<PatientId> = found.iter().filter_map(|row| row.patient_id).collect();
        let standings = op.standings(&patients.into_iter().collect::<Vec<_>>()).await?;
        found.retain(|row| {
            row.patient_id.is_none_or(|patient| {
                let rights = standings.get(&patient).map(|it| it.on(op.actor(), &self::row(row, patient)));
                rights.is_some_and(|rights| rights.may(Permission::TASK_READ))
            })
        });
    }
    Ok(found)
}

/// The tasks of each workflow that the actor may see, in the order in which they opened.
pub async fn tasks_of<M>(
    op: &Op<M>,
    instances: &[WorkflowInstanceId],
) -> Result<HashMap<WorkflowInstanceId, Vec<task::Model>>> {
    let mut of: HashMap<_, Vec<_>> = instances.iter().map(|id| (*id, Vec::new())).collect();
    for row in tasks::of_instances(op, instances).await? {
        if let Some(instance) = row.instance_id {
            of.entry(instance).or_default().push(row);
        }
    }
    Ok(of)
}

/// The definition at the version that the caller has seen, if its status allows the action.
pub(super) async fn ready(
    op: &Op<Write>,
    (id, if_version): (WorkflowDefinitionId, i32),
    action: &str,
) -> Result<workflow_definition::Model> {
    op.require(Permission::WORKFLOW_MANAGE)?;
    let stored = workflow_definition::Entity::find_by_id(id).one(op.db()).await?;
    let stored = stored
        .ok_or_else(|| Violation::at(ViolationCode::NotFound, &["id"], "There is no such workflow."))?;
    if stored.version != if_version {
        return Err(outdated(stored.version).into());
    }
    let _: WorkflowStatus = step_here(op, "workflow_definition", action, &stored.status).await?;
    Ok(stored)
}

/// What of a running workflow decides about access to it.
pub(super) fn row(instance: &workflow_instance::Model, patient: PatientId) -> Row {
    Row { encounter: instance.encounter_id.map(|encounter| encounter.0), ..Row::of(patient.0) }
}

/// Somebody else was faster.
pub(super) fn outdated(current: i32) -> Violation {
    let message = "Somebody else changed this workflow meanwhile.";
    Violation::at(ViolationCode::VersionConflict, &["ifVersion"], message).with(Detail::Version { current })
}
