//! Taking back what was measured or noted by mistake.
//!
//! It stays on record with the reason, and counts no more: not for the early-warning score, the close-gate, rules or the
//! chart. What was computed from it goes with it.

use praxis_entity::{
    ids::ObservationId,
    observation::{self, Column, ObservationStatus},
    value::ObservationResult,
};
use praxis_platform::{
    Failure, Op, Write,
    access::{Permission, Row},
    audit::Entry,
    literal::Literal,
    vault::DataKey,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::LockType};

use super::Measure;
use crate::{
    Detail, Result, Violation, ViolationCode,
    clinic::text::line,
    error::Violations,
    event::{self, Event},
    rights, transitions,
};

/// Marks an observation as recorded by mistake.
pub async fn enter_in_error(
    op: &Op<Write>,
    id: ObservationId,
    if_version: i32,
    reason: &str,
) -> Result<observation::Model> {
    op.require(Permission::VITALS_RECORD)?;
    let found = observation::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(op.db()).await?;
    let stored = found.ok_or_else(|| Violation::unknown("id"))?;
    let (row, patient) = (Row::from(&stored), stored.patient_id);
    let (record, seen) = (Permission::VITALS_RECORD, Permission::OBSERVATION_READ);
    rights::require(op, record, seen, patient, &row, "id").await?;
    if stored.version != if_version {
        let message = "Somebody else changed this meanwhile.";
        let violation = Violation::at(ViolationCode::VersionConflict, &["ifVersion"], message);
        return Err(violation.with(Detail::Version { current: stored.version }).into());
    }
    let action = "observationEnterInError";
    let to = transitions::step(op, "observation", action, &stored.status, (patient, &row)).await?;
    let mut found = Violations::default();
    let reason = line(&mut found, &["reason"], reason, 1_000);
    found.check()?;
    let key = op.data_key(patient.0).await?;
    let result = opened(op, &key, &stored).await?;
    let computed = computed_from(op, &key, &stored, &result).await?;
    let struck = strike(op, &key, &stored, result, to, reason).await?;
    for (row, result) in computed {
        let reason = "It was computed from a measurement that was recorded by mistake.".to_owned();
        strike(op, &key, &row, result, to, reason).await?;
    }
    Ok(struck)
}

/// The body-mass index of the same round, where weight or height was wrong.
async fn computed_from(
    op: &Op<Write>,
    key: &DataKey,
    wrong: &observation::Model,
    result: &ObservationResult,
) -> Result<Vec<(observation::Model, ObservationResult)>> {
    let Some(round) = wrong.taken_together else { return Ok(Vec::new()) };
    if !says(result, Measure::Weight) && !says(result, Measure::Height) {
        return Ok(Vec::new());
    }
    let others = observation::Entity::find()
        .filter(Column::TakenTogether.eq(round))
        .filter(Column::Id.ne(wrong.id))
        .filter(Column::Status.is_not(ObservationStatus::EnteredInError))
        .lock(LockType::NoKeyUpdate);
    let mut computed = Vec::new();
    for row in others.all(op.db()).await? {
        let result = opened(op, key, &row).await?;
        if says(&result, Measure::BodyMassIndex) {
            computed.push((row, result));
        }
    }
    Ok(computed)
}

fn says(result: &ObservationResult, measure: Measure) -> bool {
    result.code.codings.iter().any(|coding| coding.code == measure.code())
}

async fn opened(op: &Op<Write>, key: &DataKey, row: &observation::Model) -> Result<ObservationResult> {
    let place = op.place("observation", row.id.0, row.patient_id.0);
    Ok(op.open_unseen(key, &place, &row.result).await?)
}

async fn strike(
    op: &Op<Write>,
    key: &DataKey,
    row: &observation::Model,
    mut result: ObservationResult,
    to: ObservationStatus,
    reason: String,
) -> Result<observation::Model> {
    result.notes.push(reason);
    let place = op.place("observation", row.id.0, row.patient_id.0);
    let change = observation::ActiveModel {
        status: Set(to),
        result: Set(op.seal(key, &place, &result)?),
        ..Default::default()
    };
    let update = observation::Entity::update_many().set(change).filter(Column::Id.eq(row.id));
    let struck = update.exec_with_returning(op.db()).await?.pop().ok_or(Failure::NotFound)?;
    let (observation, patient, encounter) = (struck.id, struck.patient_id, struck.encounter_id);
    let entry = Entry::done("observation.enter-in-error").on("Observation", observation.0, struck.version);
    op.record(entry.of(patient.0));
    event::happened(op, Event::ObservationEnteredInError { observation, patient, encounter }).await?;
    Ok(struck)
}
