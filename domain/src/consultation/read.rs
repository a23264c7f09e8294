//! Diagnoses of many visits at once.

use std::collections::HashMap;

use praxis_entity::{
    encounter_diagnosis::{self, Column, DiagnosisStatus},
    ids::{DiagnosisId, EncounterId},
};
use praxis_platform::{Op, access::Permission, literal::Literal};
use sea_orm::{EntityTrait, QueryFilter, QueryOrder};

use crate::{Result, page::any_of};

/// The diagnoses of each visit that count, by rank. Whoever gets them was shown the visit.
pub async fn diagnoses_of<M>(
    op: &Op<M>,
    encounters: &[EncounterId],
) -> Result<HashMap<EncounterId, Vec<encounter_diagnosis::Model>>> {
    op.require(Permission::ENCOUNTER_READ)?;
    op.require(Permission::CONDITION_READ)?;
    let rows = encounter_diagnosis::Entity::find()
        .filter(any_of(Column::EncounterId, encounters.iter().map(|id| id.0).collect()))
        .filter(Column::Status.is(DiagnosisStatus::Recorded))
        .order_by_asc(Column::Rank)
        .all(op.db())
        .await?;
    let mut of: HashMap<_, Vec<_>> = encounters.iter().map(|id| (*id, Vec::new())).collect();
    for row in rows {
        of.entry(row.encounter_id).or_default().push(row);
    }
    Ok(of)
}

/// Diagnoses by their ids.
pub async fn diagnoses_by_ids<M>(op: &Op<M>, ids: &[DiagnosisId]) -> Result<Vec<encounter_diagnosis::Model>> {
    op.require(Permission::CONDITION_READ)?;
    let wanted = any_of(Column::Id, ids.iter().map(|id| id.0).collect());
    Ok(encounter_diagnosis::Entity::find().filter(wanted).all(op.db()).await?)
}
