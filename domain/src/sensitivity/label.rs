//! Labelling an object as restricted, and taking the label off.

use praxis_entity::{
    allergy, appointment, clinical_document, condition, encounter, family_history,
    ids::{AnyId, PatientId},
    immunization, medication_statement, observation, patient, procedure,
    sensitivity_label::{self, Confidentiality, LabelledType},
    social_history, task,
};
use praxis_platform::{
    Op, Write,
    access::{Permission, Row},
    audit::Entry,
};
use sea_orm::{
    ActiveEnum,
    ActiveValue::Set,
    EntityTrait, QuerySelect,
    sea_query::{LockType, OnConflict},
};

use crate::{Result, Violation, ViolationCode, rights};

/// A labelled object.
#[derive(Debug, Clone, Copy)]
pub struct Labelled {
    /// The object.
    pub id: AnyId,
    /// Whose.
    pub patient: PatientId,
    /// How sensitive it is now.
    pub level: Confidentiality,
}

/// Labels a patient, or something of a patient's record. Normal takes the label off.
///
/// Whoever can't read what is labelled can't take the label off either.
pub async fn label(op: &Op<Write>, id: AnyId, level: Confidentiality) -> Result<Labelled> {
    op.require(Permission::SENSITIVITY_LABEL)?;
    let (object_type, patient_id, row, content, name) = object(op, id).await?;
    // The patient's row is the lock: labels of one patient are given one after the other.
    patient::Entity::find_by_id(patient_id).lock(LockType::NoKeyUpdate).one(op.db()).await?;
    let (may, seen) = (Permission::SENSITIVITY_LABEL, Permission::PATIENT_READ);
    rights::require(op, may, seen, patient_id, &row, "id").await?;
    rights::require_content(op, content, patient_id, &row).await?;
    let before = sensitivity_label::Entity::find_by_id(row.id).one(op.db()).await?;
    let before = before.map_or(Confidentiality::Normal, |label| label.level);
    let stored = sensitivity_label::ActiveModel {
        object_id: Set(row.id),
        object_type: Set(object_type),
        patient_id: Set(patient_id),
        level: Set(level),
        labelled_by: Set(op.actor().user.map(|user| user.0)),
        labelled_at: Set(op.now()),
    };
    let replace = OnConflict::column(sensitivity_label::Column::ObjectId)
        .update_columns([
            sensitivity_label::Column::Level,
            sensitivity_label::Column::LabelledBy,
            sensitivity_label::Column::LabelledAt,
        ])
        .to_owned();
    sensitivity_label::Entity::insert(stored).on_conflict(replace).exec_without_returning(op.db()).await?;
    // A label that nobody at hand could take off again is a mistake.
    let after = rights::on(op, patient_id, &row).await?;
    if level == Confidentiality::VeryRestricted && !after.may(Permission::SENSITIVITY_LABEL) {
        let message = "You would lose sight of this yourself: only who cares for the patient labels so.";
        return Err(Violation::at(ViolationCode::Invalid, &["confidentiality"], message).into());
    }
    let entry = Entry::done("sensitivity.label").of(patient_id.0);
    let entry = Entry { object_type: Some(name), object_id: Some(row.id), ..entry };
    let key = op.data_key(patient_id.0).await?;
    op.record(op.changed(entry, (patient_id.0, &*key), &before.to_value(), &level.to_value())?);
    Ok(Labelled { id, patient: patient_id, level })
}

type Object = (LabelledType, PatientId, Row, Permission, &'static str);

/// What the id stands for, whose it is, and the permission that reads its content.
async fn object(op: &Op<Write>, id: AnyId) -> Result<Object> {
    /// A row that has a patient, as every kind of them is found.
    macro_rules! found {
        ($entity:ident, $id:expr, $kind:ident, $content:ident) => {{
            let row = $entity::Entity::find_by_id($id).one(op.db()).await?;
            let row = row.ok_or_else(|| Violation::unknown("id"))?;
            let content = Permission::$content;
            (LabelledType::$kind, row.patient_id, Row::from(&row), content, stringify!($kind))
        }};
    }
    Ok(match id {
        AnyId::PatientId(id) => {
            let row = patient::Entity::find_by_id(id).one(op.db()).await?;
            let row = row.ok_or_else(|| Violation::unknown("id"))?;
            (LabelledType::Patient, id, Row::from(&row), Permission::OBSERVATION_READ, "Patient")
        }
        AnyId::TaskId(id) => {
            let row = task::Entity::find_by_id(id).one(op.db()).await?;
            let row = row.ok_or_else(|| Violation::unknown("id"))?;
            let Some(patient) = row.patient_id else {
                let message = "Only what concerns a patient is labelled.";
                return Err(Violation::at(ViolationCode::Invalid, &["id"], message).into());
            };
            (LabelledType::Task, patient, Row::from(&row), Permission::TASK_CONTENT_READ, "Task")
        }
        AnyId::AppointmentId(id) => found!(appointment, id, Appointment, APPOINTMENT_REASON_READ),
        AnyId::EncounterId(id) => found!(encounter, id, Encounter, ENCOUNTER_CLINICAL_READ),
        AnyId::ObservationId(id) => found!(observation, id, Observation, OBSERVATION_READ),
        AnyId::ConditionId(id) => found!(condition, id, Condition, CONDITION_READ),
        AnyId::DocumentId(id) => found!(clinical_document, id, ClinicalDocument, DOCUMENT_CONTENT_READ),
        AnyId::AllergyId(id) => found!(allergy, id, Allergy, ALLERGY_READ),
        AnyId::MedicationStatementId(id) => {
            found!(medication_statement, id, MedicationStatement, MEDICATION_READ)
        }
        AnyId::ImmunizationId(id) => found!(immunization, id, Immunization, IMMUNIZATION_READ),
        AnyId::ProcedureId(id) => found!(procedure, id, Procedure, HISTORY_READ),
        AnyId::FamilyHistoryId(id) => found!(family_history, id, FamilyHistory, HISTORY_READ),
        AnyId::SocialHistoryId(id) => found!(social_history, id, SocialHistory, HISTORY_READ),
        _ => return Err(Violation::unknown("id").into()),
    })
}
