//! Conditions of many patients or visits at once.

use std::collections::HashMap;

use praxis_entity::{
    condition,
    ids::{ConditionId, EncounterId, PatientId},
};
use praxis_platform::{
    Op,
    access::{Permission, Table},
};
use sea_orm::{EntityTrait, QueryFilter};

use super::ConditionFilter;
use crate::{
    PageRequest, Result, Slice,
    page::{Ordering, any_of, count_under, list_under},
};

const NEWEST_FIRST: Ordering<condition::Column> =
    Ordering { column: Some(condition::Column::RecordedAt), id: condition::Column::Id, descending: true };

/// Conditions by their ids; unknown ones are absent.
pub async fn by_ids<M>(op: &Op<M>, ids: &[ConditionId]) -> Result<Vec<condition::Model>> {
    op.require(Permission::CONDITION_READ)?;
    let ids = any_of(condition::Column::Id, ids.iter().map(|id| id.0).collect());
    Ok(condition::Entity::find()
        .filter(ids)
        .filter(op.permitted(Permission::CONDITION_READ, Table::Condition))
        .all(op.db())
        .await?)
}

/// A page of the conditions of each patient, newest first.
pub async fn of_patients<M>(
    op: &Op<M>,
    patients: &[PatientId],
    filter: &ConditionFilter,
    page: &PageRequest,
) -> Result<HashMap<PatientId, Slice<condition::Model>>> {
    op.require(Permission::CONDITION_READ)?;
    let condition =
        filter.condition(op).await?.add(op.permitted(Permission::CONDITION_READ, Table::Condition));
    let parent = condition::Column::PatientId;
    Ok(list_under::<condition::Entity, _>(op.db(), patients, parent, condition, &NEWEST_FIRST, page).await?)
}

/// How many conditions each patient has, at most `max`.
pub async fn count_of_patients<M>(
    op: &Op<M>,
    patients: &[PatientId],
    filter: &ConditionFilter,
    max: u64,
) -> Result<HashMap<PatientId, i64>> {
    op.require(Permission::CONDITION_READ)?;
    let condition =
        filter.condition(op).await?.add(op.permitted(Permission::CONDITION_READ, Table::Condition));
    Ok(count_under::<condition::Entity, _>(op.db(), patients, condition::Column::PatientId, condition, max)
        .await?)
}

/// A page of the conditions of each visit, newest first.
pub async fn of_encounters<M>(
    op: &Op<M>,
    encounters: &[EncounterId],
    filter: &ConditionFilter,
    page: &PageRequest,
) -> Result<HashMap<EncounterId, Slice<condition::Model>>> {
    op.require(Permission::CONDITION_READ)?;
    let condition =
        filter.condition(op).await?.add(op.permitted(Permission::CONDITION_READ, Table::Condition));
    let parent = condition::Column::EncounterId;
    Ok(list_under::<condition::Entity, _>(op.db(), encounters, parent, condition, &NEWEST_FIRST, page)
        .await?)
}

/// How many conditions each visit has, at most `max`.
pub async fn count_of_encounters<M>(
    op: &Op<M>,
    encounters: &[EncounterId],
    filter: &ConditionFilter,
    max: u64,
) -> Result<HashMap<EncounterId, i64>> {
    op.require(Permission::CONDITION_READ)?;
    let condition =
        filter.condition(op).await?.add(op.permitted(Permission::CONDITION_READ, Table::Condition));
    Ok(count_under::<condition::Entity, _>(
        op.db(),
        encounters,
        condition::Column::EncounterId,
        condition,
        max,
    )
    .await?)
}
