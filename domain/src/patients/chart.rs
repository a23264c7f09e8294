//! The charts that new clinical rows go into: whose they are, and the keys that seal them.

use std::{collections::HashMap, sync::Arc};

use praxis_entity::{ids::PatientId, patient};
use praxis_platform::{Failure, Op, Write, vault::DataKey};
use sea_orm::{EntityTrait, QueryFilter, QuerySelect};

use super::amend::still_open;
use crate::{Result, Violation, page::any_of};

/// The keys of the patients, if all of them exist and none is merged or erased.
pub(crate) async fn open_charts(
    op: &Op<Write>,
    patients: &[PatientId],
) -> Result<HashMap<PatientId, Arc<DataKey>>> {
    let mut ids: Vec<_> = patients.iter().map(|id| id.0).collect();
    ids.sort_unstable();
    ids.dedup();
    let found: Vec<(PatientId, patient::PatientStatus)> = patient::Entity::find()
        .select_only()
        .columns([patient::Column::Id, patient::Column::Status])
        .filter(any_of(patient::Column::Id, ids.clone()))
        .into_tuple()
        .all(op.db())
        .await?;
    if found.len() < ids.len() {
        return Err(Violation::unknown("patientId").into());
    }
    for (_, status) in &found {
        still_open(*status, "patientId")?;
    }
    let mut keys = op.data_keys(&ids).await?;
    let keyed = found.iter().map(|(id, _)| Some((*id, keys.remove(&id.0)?))).collect::<Option<_>>();
    Ok(keyed.ok_or(Failure::KeyUnavailable)?)
}
