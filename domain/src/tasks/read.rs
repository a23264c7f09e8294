//! Tasks, read in batches.

use std::collections::HashMap;

use praxis_entity::{
    ids::{EncounterId, PatientId, TaskId, WorkflowInstanceId},
    task::{self, Column},
};
use praxis_platform::{
    Op,
    access::{Permission, Table},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder};

use super::{TaskFilter, TaskOrder, filter::is_open};
use crate::{
    PageRequest, Result, Slice,
    page::{self, any_of},
};

/// The tasks with these ids.
pub async fn by_ids<M>(op: &Op<M>, ids: &[TaskId]) -> Result<Vec<task::Model>> {
    op.require(Permission::TASK_READ)?;
    let wanted = any_of(Column::Id, ids.iter().map(|id| id.0).collect());
    Ok(task::Entity::find().filter(wanted).filter(seen(op)).all(op.db()).await?)
}

/// A page of tasks.
pub async fn list<M>(
    op: &Op<M>,
    filter: &TaskFilter,
    order: TaskOrder,
    page: &PageRequest,
) -> Result<Slice<task::Model>> {
    op.require(Permission::TASK_READ)?;
    let wanted = filter.condition(op)?.add(seen(op));
    Ok(page::list::<task::Entity>(op.db(), wanted, &order.ordering(), page).await?)
}

/// How many tasks there are, at most `max`.
pub async fn count<M>(op: &Op<M>, filter: &TaskFilter, max: u64) -> Result<i64> {
    op.require(Permission::TASK_READ)?;
    let wanted = filter.condition(op)?.add(seen(op));
    Ok(page::count::<task::Entity>(op.db(), wanted, max).await?)
}

/// A page of the tasks about each patient.
pub async fn of_patients<M>(
    op: &Op<M>,
    patients: &[PatientId],
    filter: &TaskFilter,
    order: TaskOrder,
    page: &PageRequest,
) -> Result<HashMap<PatientId, Slice<task::Model>>> {
    op.require(Permission::TASK_READ)?;
    let (parent, wanted) = (Column::PatientId, filter.condition(op)?.add(seen(op)));
    let order = order.ordering();
    Ok(page::list_under::<task::Entity, _>(op.db(), patients, parent, wanted, &order, page).await?)
}

/// How many tasks there are about each patient, at most `max`.
pub async fn count_of_patients<M>(
    op: &Op<M>,
    patients: &[PatientId],
    filter: &TaskFilter,
    max: u64,
) -> Result<HashMap<PatientId, i64>> {
    op.require(Permission::TASK_READ)?;
    let (parent, wanted) = (Column::PatientId, filter.condition(op)?.add(seen(op)));
    Ok(page::count_under::<task::Entity, _>(op.db(), patients, parent, wanted, max).await?)
}

/// A page of the tasks of each visit.
pub async fn of_encounters<M>(
    op: &Op<M>,
    encounters: &[EncounterId],
    filter: &TaskFilter,
    order: TaskOrder,
    page: &PageRequest,
) -> Result<HashMap<EncounterId, Slice<task::Model>>> {
    op.require(Permission::TASK_READ)?;
    let (parent, wanted) = (Column::EncounterId, filter.condition(op)?.add(seen(op)));
    let order = order.ordering();
    Ok(page::list_under::<task::Entity, _>(op.db(), encounters, parent, wanted, &order, page).await?)
}

/// How many tasks each visit has, at most `max`.
pub async fn count_of_encounters<M>(
    op: &Op<M>,
    encounters: &[EncounterId],
    filter: &TaskFilter,
    max: u64,
) -> Result<HashMap<EncounterId, i64>> {
    op.require(Permission::TASK_READ)?;
    let (parent, wanted) = (Column::EncounterId, filter.condition(op)?.add(seen(op)));
    Ok(page::count_under::<task::Entity, _>(op.db(), encounters, parent, wanted, max).await?)
}

/// The tasks of some workflows, in the order in which they opened.
pub async fn of_instances<M>(op: &Op<M>, instances: &[WorkflowInstanceId]) -> Result<Vec<task::Model>> {
    op.require(Permission::TASK_READ)?;
    let wanted = any_of(Column::InstanceId, instances.iter().map(|id| id.0).collect());
    let found = task::Entity::find().filter(wanted).filter(seen(op)).order_by_asc(Column::Id);
    Ok(found.all(op.db()).await?)
}

/// What is still to be done for a visit, whoever asks: what is open keeps it from being closed.
pub async fn open<M>(op: &Op<M>, encounters: &[EncounterId]) -> Result<Vec<task::Model>> {
    let of_them = any_of(Column::EncounterId, encounters.iter().map(|id| id.0).collect());
    let found = task::Entity::find().filter(of_them).filter(is_open());
    Ok(found.order_by_asc(Column::Id).all(op.db()).await?)
}

/// The tasks that the actor may see: those of a patient as far as the patient's record is open to them.
pub(super) fn seen<M>(op: &Op<M>) -> Condition {
    Condition::all().add(
        Condition::any()
            .add(Column::PatientId.is_null())
            .add(op.permitted(Permission::TASK_READ, Table::Task)),
    )
}
