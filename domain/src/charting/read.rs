//! Observations of many patients or visits at once.

use std::collections::HashMap;

use praxis_entity::{
    ids::{EncounterId, ObservationId, PatientId},
    observation,
};
use praxis_platform::{
    Op,
    access::{Permission, Table},
};
use sea_orm::{EntityTrait, QueryFilter};

use super::ObservationFilter;
use crate::{
    PageRequest, Result, Slice,
    page::{Ordering, any_of, count_under, list_under},
};

const NEWEST_FIRST: Ordering<observation::Column> = Ordering {
    column: Some(observation::Column::EffectiveAt),
    id: observation::Column::Id,
    descending: true,
};

/// Observations by their ids; unknown ones are absent.
pub async fn by_ids<M>(op: &Op<M>, ids: &[ObservationId]) -> Result<Vec<observation::Model>> {
    op.require(Permission::OBSERVATION_READ)?;
    let ids = any_of(observation::Column::Id, ids.iter().map(|id| id.0).collect());
    Ok(observation::Entity::find()
        .filter(ids)
        .filter(op.permitted(Permission::OBSERVATION_READ, Table::Observation))
        .all(op.db())
        .await?)
}

/// A page of the observations of each patient, newest first.
pub async fn of_patients<M>(
    op: &Op<M>,
    patients: &[PatientId],
    filter: &ObservationFilter,
    page: &PageRequest,
) -> Result<HashMap<PatientId, Slice<observation::Model>>> {
    op.require(Permission::OBSERVATION_READ)?;
    let condition =
        filter.condition(op).await?.add(op.permitted(Permission::OBSERVATION_READ, Table::Observation));
    let parent = observation::Column::PatientId;
    Ok(list_under::<observation::Entity, _>(op.db(), patients, parent, condition, &NEWEST_FIRST, page)
        .await?)
}

/// How many observations each patient has, at most `max`.
pub async fn count_of_patients<M>(
    op: &Op<M>,
    patients: &[PatientId],
    filter: &ObservationFilter,
    max: u64,
) -> Result<HashMap<PatientId, i64>> {
    op.require(Permission::OBSERVATION_READ)?;
    let condition =
        filter.condition(op).await?.add(op.permitted(Permission::OBSERVATION_READ, Table::Observation));
    Ok(count_under::<observation::Entity, _>(
        op.db(),
        patients,
        observation::Column::PatientId,
        condition,
        max,
    )
    .await?)
}

/// A page of the observations of each visit, newest first.
pub async fn of_encounters<M>(
    op: &Op<M>,
    encounters: &[EncounterId],
    filter: &ObservationFilter,
    page: &PageRequest,
) -> Result<HashMap<EncounterId, Slice<observation::Model>>> {
    op.require(Permission::OBSERVATION_READ)?;
    let condition =
        filter.condition(op).await?.add(op.permitted(Permission::OBSERVATION_READ, Table::Observation));
    let parent = observation::Column::EncounterId;
    Ok(list_under::<observation::Entity, _>(op.db(), encounters, parent, condition, &NEWEST_FIRST, page)
        .await?)
}

/// How many observations each visit has, at most `max`.
pub async fn count_of_encounters<M>(
    op: &Op<M>,
    encounters: &[EncounterId],
    filter: &ObservationFilter,
    max: u64,
) -> Result<HashMap<EncounterId, i64>> {
    op.require(Permission::OBSERVATION_READ)?;
    let condition =
        filter.condition(op).await?.add(op.permitted(Permission::OBSERVATION_READ, Table::Observation));
    Ok(count_under::<observation::Entity, _>(
        op.db(),
        encounters,
        observation::Column::EncounterId,
        condition,
        max,
    )
    .await?)
}
