//! What a task is about: one object of the patient's record.

use praxis_entity::{
    appointment, condition, encounter,
    ids::{AnyId, AppointmentId, ConditionId, EncounterId, ObservationId, PatientId, TypedId},
    observation, task,
};
use praxis_platform::{
    Op, Write,
    access::{Permission, Row},
};
use sea_orm::EntityTrait;
use uuid::Uuid;

use crate::{Result, Violation, rights};

/// An object that a task may be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Focus {
    /// The patient.
    Patient(PatientId),
    /// A booked visit.
    Appointment(AppointmentId),
    /// A visit.
    Encounter(EncounterId),
    /// A measurement or finding.
    Observation(ObservationId),
    /// A problem or diagnosis.
    Condition(ConditionId),
}

impl Focus {
    /// The focus that an id stands for; nothing for kinds that no task is about.
    pub fn of(id: AnyId) -> Option<Self> {
        match id {
            AnyId::PatientId(id) => Some(Self::Patient(id)),
            AnyId::AppointmentId(id) => Some(Self::Appointment(id)),
            AnyId::EncounterId(id) => Some(Self::Encounter(id)),
            AnyId::ObservationId(id) => Some(Self::Observation(id)),
            AnyId::ConditionId(id) => Some(Self::Condition(id)),
            _ => None,
        }
    }

    /// What a stored task is about.
    pub fn stored(task: &task::Model) -> Option<AnyId> {
        let id = task.focus_id?;
        Some(match task.focus_kind.as_deref()? {
            PatientId::PREFIX => AnyId::PatientId(PatientId(id)),
            AppointmentId::PREFIX => AnyId::AppointmentId(AppointmentId(id)),
            EncounterId::PREFIX => AnyId::EncounterId(EncounterId(id)),
            ObservationId::PREFIX => AnyId::ObservationId(ObservationId(id)),
            ConditionId::PREFIX => AnyId::ConditionId(ConditionId(id)),
            _ => return None,
        })
    }

    /// How it is stored: three letters, and the id.
    pub(super) fn parts(self) -> (&'static str, Uuid) {
        match self {
            Self::Patient(id) => (PatientId::PREFIX, id.0),
            Self::Appointment(id) => (AppointmentId::PREFIX, id.0),
            Self::Encounter(id) => (EncounterId::PREFIX, id.0),
            Self::Observation(id) => (ObservationId::PREFIX, id.0),
            Self::Condition(id) => (ConditionId::PREFIX, id.0),
        }
    }

    /// Whose record it is in, and the visit it belongs to; nothing for somebody who may not know of it.
    pub(super) async fn of_whom(self, op: &Op<Write>) -> Result<(PatientId, Option<EncounterId>)> {
        let db = op.db();
        let found = match self {
            Self::Patient(id) => Some((Permission::PATIENT_READ, id, None, Row::of(id.0))),
            Self::Appointment(id) => {
                let found = appointment::Entity::find_by_id(id).one(db).await?;
                found.map(|row| (Permission::APPOINTMENT_READ, row.patient_id, None, Row::from(&row)))
            }
            Self::Encounter(id) => {
                let found = encounter::Entity::find_by_id(id).one(db).await?;
                found.map(|row| (Permission::ENCOUNTER_READ, row.patient_id, Some(id), Row::from(&row)))
            }
            Self::Observation(id) => {
                let found = observation::Entity::find_by_id(id).one(db).await?;
                found.map(|row| {
                    (Permission::OBSERVATION_READ, row.patient_id, row.encounter_id, Row::from(&row))
                })
            }
            Self::Condition(id) => {
                let found = condition::Entity::find_by_id(id).one(db).await?;
                found.map(|row| {
                    (Permission::CONDITION_READ, row.patient_id, row.encounter_id, Row::from(&row))
                })
            }
        };
        let unknown = || Violation::unknown("focusId");
        let (seen, patient, encounter, row) = found.ok_or_else(unknown)?;
        rights::require(op, Permission::TASK_CREATE, seen, patient, &row, "focusId").await?;
        Ok((patient, encounter))
    }
}
