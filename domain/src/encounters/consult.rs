//! The consultation: begun, interrupted, gone on with.

use praxis_entity::{
    appointment::AppointmentStatus, encounter, encounter_note::EncounterNoteKind, ids::EncounterId,
};
use praxis_platform::{Op, Write, access::Permission};
use sea_orm::ActiveValue::Set;

use super::{change::begin, participants};
use crate::{Result, event::Event, scheduling};

/// Starts the consultation. A visit that nobody is responsible for yet becomes that of the clinician who starts it,
/// and whoever is responsible takes part as its attending from now on.
pub async fn start(op: &Op<Write>, id: EncounterId, if_version: i32) -> Result<encounter::Model> {
    let step = begin(op, Permission::ENCOUNTER_CONSULT, "encounterStart", (id, Some(if_version))).await?;
    let attending = step.stored.practitioner_id.or(op.actor().practitioner);
    if let Some(appointment) = step.stored.appointment_id {
        scheduling::follow(op, appointment, AppointmentStatus::InProgress).await?;
    }
    if let Some(attending) = attending {
        participants::join(op, id, attending, participants::ATTENDING).await?;
    }
    let change = encounter::ActiveModel {
        practitioner_id: Set(attending),
        started_at: Set(step.stored.started_at.or(Some(op.now()))),
        ..Default::default()
    };
    let happened = Event::EncounterStarted { encounter: id, patient: step.stored.patient_id };
    step.take(op, change, happened).await
}

/// Interrupts the consultation.
pub async fn hold(
    op: &Op<Write>,
    id: EncounterId,
    if_version: i32,
    reason: Option<&str>,
) -> Result<encounter::Model> {
    let step = begin(op, Permission::ENCOUNTER_CONSULT, "encounterHold", (id, Some(if_version))).await?;
    if let Some(reason) = reason {
        step.because(op, EncounterNoteKind::Hold, reason).await?;
    }
    let happened = Event::EncounterHeld { encounter: id, patient: step.stored.patient_id };
    step.take(op, encounter::ActiveModel::default(), happened).await
}

/// Goes on with it.
pub async fn resume(op: &Op<Write>, id: EncounterId, if_version: i32) -> Result<encounter::Model> {
    let step = begin(op, Permission::ENCOUNTER_CONSULT, "encounterResume", (id, Some(if_version))).await?;
    let happened = Event::EncounterResumed { encounter: id, patient: step.stored.patient_id };
    step.take(op, encounter::ActiveModel::default(), happened).await
}
