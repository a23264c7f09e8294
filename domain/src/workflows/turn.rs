//! Putting an edition of a workflow into use, and taking it out.

use praxis_entity::{
    ids::WorkflowDefinitionId,
    workflow_definition::{self, Column, WorkflowStatus},
};
use praxis_platform::{Op, Write, access::Permission, audit::Entry};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::LockType,
};

use super::read;
use crate::Result;

/// Puts a draft into use, in the place of the edition before. What runs goes on as it began.
pub async fn activate(
    op: &Op<Write>,
    id: WorkflowDefinitionId,
    if_version: i32,
) -> Result<workflow_definition::Model> {
    let stored = read::ready(op, (id, if_version), "workflowActivate").await?;
    let editions = workflow_definition::Entity::find().filter(Column::Code.eq(&stored.code));
    let editions = editions.order_by_asc(Column::Edition).lock(LockType::NoKeyUpdate).all(op.db()).await?;
    for before in editions.iter().filter(|edition| edition.status == WorkflowStatus::Active) {
        turn(op, before, WorkflowStatus::Retired, "workflow.retire").await?;
    }
    turn(op, &stored, WorkflowStatus::Active, "workflow.activate").await
}

/// Takes an edition out of use. What runs goes on.
pub async fn retire(
    op: &Op<Write>,
    id: WorkflowDefinitionId,
    if_version: i32,
) -> Result<workflow_definition::Model> {
    let stored = read::ready(op, (id, if_version), "workflowRetire").await?;
    turn(op, &stored, WorkflowStatus::Retired, "workflow.retire").await
}

async fn turn(
    op: &Op<Write>,
    stored: &workflow_definition::Model,
    status: WorkflowStatus,
    action: &'static str,
) -> Result<workflow_definition::Model> {
    op.require(Permission::WORKFLOW_MANAGE)?;
    let change = workflow_definition::ActiveModel { status: Set(status), ..Default::default() };
    let update = workflow_definition::Entity::update_many()
        .set(change)
        .filter(Column::Id.eq(stored.id))
        .filter(Column::Version.eq(stored.version));
    let turned = update.exec_with_returning(op.db()).await?.pop();
    let turned = turned.ok_or_else(|| read::outdated(stored.version + 1))?;
    op.record(Entry::done(action).on("WorkflowDefinition", turned.id.0, turned.version));
    Ok(turned)
}
