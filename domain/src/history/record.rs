//! Conditions taken over from elsewhere, or made up for a demonstration.

use chrono::{DateTime, Utc};
use praxis_entity::{
    condition::{self, ClinicalStatus, ConditionCategory, VerificationStatus},
    encounter, encounter_diagnosis,
    ids::{ConditionId, EncounterId, PatientId, PractitionerId},
    value::ConditionClinical,
};
use praxis_platform::{Failure, Op, Write, access::Permission, audit::Entry, literal::Literal};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::Query};
use uuid::Uuid;

use crate::{
    Error, Result, Violation,
    coded::code_tokens,
    page::any_of,
    patients::open_charts,
    rows::{entry_of, insert_all, refused},
};

/// A condition to be recorded.
#[derive(Debug, Clone)]
pub struct RecordCondition {
    /// Whose.
    pub patient: PatientId,
    /// Where it was recorded.
    pub encounter: Option<EncounterId>,
    /// Who recorded it.
    pub recorder: Option<PractitionerId>,
    /// Problem list item or diagnosis of one encounter.
    pub category: ConditionCategory,
    /// Whether it is present.
    pub clinical_status: Option<ClinicalStatus>,
    /// How sure it is.
    pub verification_status: VerificationStatus,
    /// When it became known.
    pub recorded_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub abated_at: Option<DateTime<Utc>>,
    /// What it is.
    pub clinical: ConditionClinical,
}

/// Records a condition.
pub async fn record(op: &Op<Write>, new: RecordCondition) -> Result<condition::Model> {
    let stored = record_many(op, vec![new]).await?.pop();
    Ok(stored.ok_or_else(|| Failure::Internal("nothing was stored".to_owned()))?)
}

/// Records many conditions and returns them in the order given.
pub async fn record_many(op: &Op<Write>, new: Vec<RecordCondition>) -> Result<Vec<condition::Model>> {
    op.require(Permission::DATA_IMPORT)?;
    store(op, new).await
}

/// Records what a visit came to; whoever calls has asked whether the actor may.
pub(crate) async fn diagnose(op: &Op<Write>, new: RecordCondition) -> Result<condition::Model> {
    let stored = store(op, vec![new]).await?.pop();
    Ok(stored.ok_or_else(|| Failure::Internal("nothing was stored".to_owned()))?)
}

/// Takes back conditions that stood for diagnoses of a visit. What the visit made and nothing refers to any more was
/// recorded in error; a problem of the patient's list stays as it is.
pub(crate) async fn withdraw(
    op: &Op<Write>,
    encounter: &encounter::Model,
    conditions: impl Iterator<Item = ConditionId>,
) -> Result<()> {
    let ids: Vec<Uuid> = conditions.map(|condition| condition.0).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let recorded = encounter_diagnosis::Column::Status.is(encounter_diagnosis::DiagnosisStatus::Recorded);
    let still_meant = Query::select()
        .column(encounter_diagnosis::Column::ConditionId)
        .from(encounter_diagnosis::Entity)
        .and_where(any_of(encounter_diagnosis::Column::ConditionId, ids.clone()))
        .and_where(recorded)
        .to_owned();
    let change = condition::ActiveModel {
        verification_status: Set(VerificationStatus::EnteredInError),
        ..Default::default()
    };
    let withdrawn = condition::Entity::update_many()
        .set(change)
        .filter(any_of(condition::Column::Id, ids))
        .filter(condition::Column::EncounterId.eq(encounter.id))
        .filter(condition::Column::Category.eq(ConditionCategory::EncounterDiagnosis))
        .filter(condition::Column::Id.not_in_subquery(still_meant))
        .exec_with_returning(op.db())
        .await?;
    let patient = encounter.patient_id.0;
    for row in withdrawn {
        op.record(Entry::done("condition.withdraw").on("Condition", row.id.0, row.version).of(patient));
    }
    Ok(())
}

async fn store(op: &Op<Write>, new: Vec<RecordCondition>) -> Result<Vec<condition::Model>> {
    let patients: Vec<PatientId> = new.iter().map(|new| new.patient).collect();
    let (charts, index) = (open_charts(op, &patients).await?, op.tenant_key().await?);
    let mut rows = Vec::with_capacity(new.len());
    for new in new {
        let id = ConditionId(op.new_id());
        let key = charts.get(&new.patient).ok_or(Failure::KeyUnavailable)?;
        let place = op.place("condition", id.0, new.patient.0);
        let concepts = std::iter::once(&new.clinical.code);
        let row = condition::ActiveModel {
            id: Set(id),
            patient_id: Set(new.patient),
            encounter_id: Set(new.encounter),
            recorder_id: Set(new.recorder),
            category: Set(new.category),
            clinical_status: Set(new.clinical_status),
            verification_status: Set(new.verification_status),
            recorded_at: Set(new.recorded_at),
            abated_at: Set(new.abated_at),
            code_tokens: Set(code_tokens(&index, concepts)),
            clinical: Set(op.seal(key, &place, &new.clinical)?),
            ..Default::default()
        };
        rows.push((id, row));
    }
    let stored = insert_all(op.db(), rows, |row: &condition::Model| row.id).await.map_err(explain)?;
    op.record(entry_of("condition.record", &patients));
    Ok(stored)
}

fn explain(error: sea_orm::DbErr) -> Error {
    refused(error, |constraint| match constraint {
        "condition_encounter_fk" => Some(Violation::unknown("encounterId")),
        "condition_recorder_fk" => Some(Violation::unknown("recorderId")),
        _ => None,
    })
}
