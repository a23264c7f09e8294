//! The problem list: what a patient has to live with, until it is resolved, and when it comes back.
//!
//! Its steps are rows of `status_transition` under the machine `problem`, which the database enforces for problems of
//! the list. What one visit diagnosed is a condition too, and takes no part in this.

use praxis_entity::{
    condition::{self, ClinicalStatus, Column, ConditionCategory, VerificationStatus},
    encounter,
    ids::{ConditionId, EncounterId, PatientId},
    value::ConditionClinical,
};
use praxis_platform::{
    Failure, Op, Write,
    access::{Permission, Row},
    audit::Entry,
};
use sea_orm::{
    ActiveEnum,
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{LockType, Query},
};

use super::chapter::{concept_length, meaning};
use crate::{
    Detail, Result, Violation, ViolationCode,
    clinic::text::{line, lines},
    coded::code_tokens,
    error::Violations,
    event::{Event, happened},
    patients::open_charts,
    rights,
    rows::refused,
    transitions::step,
};

/// Puts a problem on the list of a patient.
pub async fn record_problem(
    op: &Op<Write>,
    patient: PatientId,
    encounter: Option<EncounterId>,
    verification: VerificationStatus,
    mut clinical: ConditionClinical,
) -> Result<condition::Model> {
    op.require(Permission::CONDITION_RECORD)?;
    let mut found = Violations::default();
    meaning(&mut found, "code", &clinical.code);
    clinical.body_sites.iter().for_each(|one| concept_length(&mut found, "bodySites", one));
    if let Some(severity) = &clinical.severity {
        concept_length(&mut found, "severity", severity);
    }
    if verification == VerificationStatus::EnteredInError {
        found.add(ViolationCode::Invalid, &["certainty"], "A mistake is not recorded as one.");
    }
    clinical.notes = lines(&mut found, "notes", &clinical.notes, 20, 2_000);
    found.check()?;
    let id = ConditionId(op.new_id());
    let row = Row {
        encounter: encounter.map(|encounter| encounter.0),
        practitioner: op.actor().practitioner,
        ..Row::of(id.0)
    };
    let (record, seen) = (Permission::CONDITION_RECORD, Permission::PATIENT_READ);
    rights::require(op, record, seen, patient, &row, "patientId").await?;
    rights::require_content(op, Permission::CONDITION_READ, patient, &row).await?;
    let charts = open_charts(op, &[patient]).await?;
    let key = charts.get(&patient).ok_or(Failure::KeyUnavailable)?;
    let index = op.tenant_key().await?;
    let row = condition::ActiveModel {
        id: Set(id),
        patient_id: Set(patient),
        encounter_id: Set(encounter),
        recorder_id: Set(op.actor().practitioner),
        category: Set(ConditionCategory::ProblemListItem),
        clinical_status: Set(Some(ClinicalStatus::Active)),
        verification_status: Set(verification),
        recorded_at: Set(Some(op.now())),
        code_tokens: Set(code_tokens(&index, [&clinical.code])),
        clinical: Set(op.seal(key, &op.place("condition", id.0, patient.0), &clinical)?),
        ..Default::default()
    };
    let stored = condition::Entity::insert(row).exec_with_returning(op.db()).await.map_err(|error| {
        refused(error, |name| (name == "condition_encounter_fk").then(|| Violation::unknown("encounterId")))
    })?;
    op.record(Entry::done("problem.record").on("Condition", id.0, stored.version).of(patient.0));
    happened(op, Event::ProblemRecorded { condition: id, patient, encounter }).await?;
    Ok(stored)
}

/// Takes a problem along a step: remission, resolved, come back.
pub async fn advance_problem(
    op: &Op<Write>,
    id: ConditionId,
    if_version: i32,
    action: &'static str,
    reason: Option<String>,
) -> Result<condition::Model> {
    op.require(Permission::CONDITION_RECORD)?;
    // The event waits for the visit in which it was recorded; whoever makes it a diagnosis there has that first.
    let visit = Query::select()
        .column(Column::EncounterId)
        .from(condition::Entity)
        .and_where(Column::Id.eq(id))
        .to_owned();
    let visit = encounter::Entity::find().filter(encounter::Column::Id.in_subquery(visit));
    visit.lock(LockType::NoKeyUpdate).one(op.db()).await?;
    let found = condition::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(op.db()).await?;
    let stored = found.filter(|found| found.category == ConditionCategory::ProblemListItem);
    let stored = stored.ok_or_else(|| Violation::unknown("id"))?;
    let (row, patient) = (Row::from(&stored), stored.patient_id);
    let (record, seen) = (Permission::CONDITION_RECORD, Permission::CONDITION_READ);
    rights::require(op, record, seen, patient, &row, "id").await?;
    if stored.version != if_version {
        let message = "Somebody else changed this meanwhile.";
        let violation = Violation::at(ViolationCode::VersionConflict, &["ifVersion"], message);
        return Err(violation.with(Detail::Version { current: stored.version }).into());
    }
    if stored.verification_status == VerificationStatus::EnteredInError {
        let status = VerificationStatus::EnteredInError.to_value();
        let detail = Detail::Transition { status, allowed: Vec::new() };
        let message = "What was a mistake stays one.";
        return Err(Violation::at(ViolationCode::InvalidTransition, &["id"], message).with(detail).into());
    }
    // What a source gave no status counts as present.
    let from = stored.clinical_status.unwrap_or(ClinicalStatus::Active);
    let to = step(op, "problem", action, &from, (patient, &row)).await?;
    let mut change = condition::ActiveModel::default();
    if action == "problemEnterInError" {
        change.verification_status = Set(VerificationStatus::EnteredInError);
    } else {
        change.clinical_status = Set(Some(to));
        let over =
            matches!(to, ClinicalStatus::Resolved | ClinicalStatus::Remission | ClinicalStatus::Inactive);
        change.abated_at = Set(over.then(|| op.now()));
    }
    if let Some(reason) = reason {
        let mut found = Violations::default();
        let reason = line(&mut found, &["reason"], &reason, 1_000);
        found.check()?;
        let key = op.data_key(patient.0).await?;
        let place = op.place("condition", id.0, patient.0);
        let clinical = op.open_unseen(&key, &place, &stored.clinical).await?;
        let notes = clinical.notes.iter().cloned().chain([reason]).collect();
        change.clinical = Set(op.seal(&key, &place, &ConditionClinical { notes, ..clinical })?);
    }
    let update = condition::Entity::update_many().set(change).filter(Column::Id.eq(id));
    let changed = update.exec_with_returning(op.db()).await?.pop().ok_or(Failure::NotFound)?;
    op.record(Entry::done("problem.change").on("Condition", id.0, changed.version).of(patient.0));
    happened(op, Event::ProblemChanged { condition: id, patient, encounter: changed.encounter_id }).await?;
    Ok(changed)
}
