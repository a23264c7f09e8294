//! Starting a workflow.

use praxis_entity::{
    encounter::{self, EncounterStatus},
    ids::{EncounterId, PatientId, WorkflowInstanceId},
    workflow_definition::{self, Column, WorkflowStatus},
    workflow_instance::{self, InstanceStatus},
};
use praxis_platform::{
    Op, Write,
    access::{Permission, Row},
    audit::Entry,
    literal::Literal,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::LockType};

use super::react::advance;
use crate::{
    Result, Violation, ViolationCode,
    event::{self, Event},
    rights,
};

/// A workflow to be started.
#[derive(Debug, Clone)]
pub struct StartWorkflow {
    /// Its key; the edition in use is started.
    pub code: String,
    /// Whom it concerns; follows from the visit where one is given.
    pub patient: Option<PatientId>,
    /// The visit it belongs to.
    pub encounter: Option<EncounterId>,
}

/// Starts the edition of a workflow that is in use; its first steps open at once.
pub async fn start(op: &Op<Write>, new: StartWorkflow) -> Result<workflow_instance::Model> {
    op.require(Permission::TASK_CREATE)?;
    let in_use = workflow_definition::Entity::find()
        .filter(Column::Code.eq(&new.code))
        .filter(Column::Status.is(WorkflowStatus::Active));
    let definition = in_use.one(op.db()).await?;
    let definition = definition
        .ok_or_else(|| Violation::at(ViolationCode::NotFound, &["code"], "No such workflow is in use."))?;
    let patient = match new.encounter {
        Some(id) => Some(of_visit(op, id, new.patient).await?),
        None => new.patient,
    };
    if let Some(patient) = patient {
        let row = Row { encounter: new.encounter.map(|id| id.0), ..Row::of(patient.0) };
        let (create, seen) = (Permission::TASK_CREATE, Permission::PATIENT_READ);
        rights::require(op, create, seen, patient, &row, "patientId").await?;
    }
    let id = WorkflowInstanceId(op.new_id());
    let row = workflow_instance::ActiveModel {
        id: Set(id),
        definition_id: Set(definition.id),
        patient_id: Set(patient),
        encounter_id: Set(new.encounter),
        status: Set(InstanceStatus::Running),
        started_by: Set(op.actor().user),
        ..Default::default()
    };
    let started = workflow_instance::Entity::insert(row).exec_with_returning(op.db()).await?;
    let entry = Entry::done("workflow.start").on("WorkflowInstance", id.0, started.version);
    op.record(Entry { patients: patient.into_iter().map(|patient| patient.0).collect(), ..entry });
    let (instance, encounter) = (id, started.encounter_id);
    event::happened(op, Event::WorkflowStarted { instance, patient, encounter }).await?;
    advance(op, started).await
}

async fn of_visit(op: &Op<Write>, id: EncounterId, patient: Option<PatientId>) -> Result<PatientId> {
    let visit = encounter::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(op.db()).await?;
    let visit = visit.ok_or_else(|| Violation::unknown("encounterId"))?;
    let (create, seen) = (Permission::TASK_CREATE, Permission::ENCOUNTER_READ);
    rights::require(op, create, seen, visit.patient_id, &Row::from(&visit), "encounterId").await?;
    if patient.is_some_and(|patient| patient != visit.patient_id) {
        let message = "Visit and patient are not of the same person.";
        return Err(Violation::at(ViolationCode::Invalid, &["patientId"], message).into());
    }
    if visit.status == EncounterStatus::Cancelled {
        let message = "The visit was called off.";
        return Err(Violation::at(ViolationCode::Locked, &["encounterId"], message).into());
    }
    Ok(visit.patient_id)
}
