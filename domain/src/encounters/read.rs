//! Encounters of many patients at once.

use std::collections::HashMap;

use praxis_entity::{
    encounter::{self, EncounterStatus},
    encounter_participant,
    ids::{AppointmentId, EncounterId, PatientId},
};
use praxis_platform::{
    Op,
    access::{Permission, Table},
};
use sea_orm::{EntityTrait, QueryFilter, QueryOrder};

use super::EncounterFilter;
use crate::{
    PageRequest, Result, Slice,
    page::{Ordering, any_of, count_under, list_under},
};

const NEWEST_FIRST: Ordering<encounter::Column> =
    Ordering { column: Some(encounter::Column::StartedAt), id: encounter::Column::Id, descending: true };

/// Encounters by their ids; unknown ones are absent.
pub async fn by_ids<M>(op: &Op<M>, ids: &[EncounterId]) -> Result<Vec<encounter::Model>> {
    op.require(Permission::ENCOUNTER_READ)?;
    let ids = any_of(encounter::Column::Id, ids.iter().map(|id| id.0).collect());
    Ok(encounter::Entity::find()
        .filter(ids)
        .filter(op.permitted(Permission::ENCOUNTER_READ, Table::Encounter))
        .all(op.db())
        .await?)
}

/// A page of the encounters of each patient, newest first.
pub async fn of_patients<M>(
    op: &Op<M>,
    patients: &[PatientId],
    filter: &EncounterFilter,
    page: &PageRequest,
) -> Result<HashMap<PatientId, Slice<encounter::Model>>> {
    op.require(Permission::ENCOUNTER_READ)?;
    let condition =
        filter.condition(op).await?.add(op.permitted(Permission::ENCOUNTER_READ, Table::Encounter));
    let parent = encounter::Column::PatientId;
    Ok(list_under::<encounter::Entity, _>(op.db(), patients, parent, condition, &NEWEST_FIRST, page).await?)
}

/// How many encounters each patient has, at most `max`.
pub async fn count_of_patients<M>(
    op: &Op<M>,
    patients: &[PatientId],
    filter: &EncounterFilter,
    max: u64,
) -> Result<HashMap<PatientId, i64>> {
    op.require(Permission::ENCOUNTER_READ)?;
    let condition =
        filter.condition(op).await?.add(op.permitted(Permission::ENCOUNTER_READ, Table::Encounter));
    Ok(count_under::<encounter::Entity, _>(op.db(), patients, encounter::Column::PatientId, condition, max)
        .await?)
}

/// Who took part in each encounter.
pub async fn participants_of<M>(
    op: &Op<M>,
    encounters: &[EncounterId],
) -> Result<HashMap<EncounterId, Vec<encounter_participant::Model>>> {
    op.require(Permission::ENCOUNTER_READ)?;
    let ids = encounters.iter().map(|id| id.0).collect();
    let rows = encounter_participant::Entity::find()
        .filter(any_of(encounter_participant::Column::EncounterId, ids))
        .order_by_asc(encounter_participant::Column::Role)
        .order_by_asc(encounter_participant::Column::PractitionerId)
        .all(op.db())
        .await?;
    let mut of: HashMap<_, Vec<_>> = encounters.iter().map(|id| (*id, Vec::new())).collect();
    for row in rows {
        of.entry(row.encounter_id).or_default().push(row);
    }
    Ok(of)
}

/// The encounter that came of each appointment: the first where there are several, and one that was called off only
/// where there is no other.
pub async fn by_appointments<M>(
    op: &Op<M>,
    appointments: &[AppointmentId],
) -> Result<HashMap<AppointmentId, encounter::Model>> {
    op.require(Permission::ENCOUNTER_READ)?;
    let ids = appointments.iter().map(|id| id.0).collect();
    let rows = encounter::Entity::find()
        .filter(any_of(encounter::Column::AppointmentId, ids))
        .filter(op.permitted(Permission::ENCOUNTER_READ, Table::Encounter))
        .order_by_desc(encounter::Column::Id)
        .all(op.db())
        .await?;
    // Later entries replace earlier ones, so the first encounter stays.
    let (called_off, others): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| row.status == EncounterStatus::Cancelled);
    Ok(called_off.into_iter().chain(others).filter_map(|row| Some((row.appointment_id?, row))).collect())
}
