//! Observations taken over from elsewhere, or made up for a demonstration.

use chrono::{DateTime, Utc};
use praxis_entity::{
    ids::{EncounterId, ObservationId, PatientId, PractitionerId},
    observation::{self, ObservationCategory, ObservationStatus},
    value::ObservationResult,
};
use praxis_platform::{Failure, Op, Write, access::Permission};
use sea_orm::ActiveValue::Set;
use uuid::Uuid;

use crate::{
    Error, Result, Violation,
    coded::code_tokens,
    patients::open_charts,
    rows::{entry_of, insert_all, refused},
};

/// An observation to be recorded.
#[derive(Debug, Clone)]
pub struct RecordObservation {
    /// Whose.
    pub patient: PatientId,
    /// Where it was made.
    pub encounter: Option<EncounterId>,
    /// Who made it.
    pub performer: Option<PractitionerId>,
    /// Kind.
    pub category: ObservationCategory,
    /// How final it is.
    pub status: ObservationStatus,
    /// When it was true.
    pub effective_at: Option<DateTime<Utc>>,
    /// When it became known.
    pub issued_at: Option<DateTime<Utc>>,
    /// What was observed.
    pub result: ObservationResult,
}

/// Records an observation.
pub async fn record(op: &Op<Write>, new: RecordObservation) -> Result<observation::Model> {
    let stored = record_many(op, vec![new]).await?.pop();
    Ok(stored.ok_or_else(|| Failure::Internal("nothing was stored".to_owned()))?)
}

/// Records many observations and returns them in the order given.
pub async fn record_many(op: &Op<Write>, new: Vec<RecordObservation>) -> Result<Vec<observation::Model>> {
    op.require(Permission::DATA_IMPORT)?;
    store(op, new, None).await
}

/// Writes observations, of one round where they were taken together.
pub(super) async fn store(
    op: &Op<Write>,
    new: Vec<RecordObservation>,
    together: Option<Uuid>,
) -> Result<Vec<observation::Model>> {
    let patients: Vec<PatientId> = new.iter().map(|new| new.patient).collect();
    let (charts, index) = (open_charts(op, &patients).await?, op.tenant_key().await?);
    let mut rows = Vec::with_capacity(new.len());
    for new in new {
        let id = ObservationId(op.new_id());
        let key = charts.get(&new.patient).ok_or(Failure::KeyUnavailable)?;
        let place = op.place("observation", id.0, new.patient.0);
        let parts = new.result.components.iter().map(|part| &part.code);
        let concepts = std::iter::once(&new.result.code).chain(parts);
        let row = observation::ActiveModel {
            id: Set(id),
            patient_id: Set(new.patient),
            encounter_id: Set(new.encounter),
            performer_id: Set(new.performer),
            category: Set(new.category),
            status: Set(new.status),
            effective_at: Set(new.effective_at),
            issued_at: Set(new.issued_at),
            code_tokens: Set(code_tokens(&index, concepts)),
            taken_together: Set(together),
            result: Set(op.seal(key, &place, &new.result)?),
            ..Default::default()
        };
        rows.push((id, row));
    }
    let stored = insert_all(op.db(), rows, |row: &observation::Model| row.id).await.map_err(explain)?;
    op.record(entry_of("observation.record", &patients));
    Ok(stored)
}

fn explain(error: sea_orm::DbErr) -> Error {
    refused(error, |constraint| match constraint {
        "observation_encounter_fk" => Some(Violation::unknown("encounterId")),
        "observation_performer_fk" => Some(Violation::unknown("performerId")),
        _ => None,
    })
}
