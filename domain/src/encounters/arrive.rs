//! The patient is here: checked in, and seen by somebody who judges how urgent it is.

use praxis_entity::{appointment::AppointmentStatus, encounter, ids::EncounterId};
use praxis_platform::{Op, Write, access::Permission};

use super::change::begin;
use crate::{Result, event::Event, scheduling};

/// Checks the patient in; their appointment is checked in with it, in the same transaction.
pub async fn check_in(op: &Op<Write>, id: EncounterId, if_version: i32) -> Result<encounter::Model> {
    let step = begin(op, Permission::ENCOUNTER_CHECK_IN, "encounterCheckIn", (id, Some(if_version))).await?;
    if let Some(appointment) = step.stored.appointment_id {
        scheduling::follow(op, appointment, AppointmentStatus::CheckedIn).await?;
    }
    let happened = Event::EncounterCheckedIn { encounter: id, patient: step.stored.patient_id };
    step.take(op, encounter::ActiveModel::default(), happened).await
}

/// Records that urgency was assessed.
pub async fn triage(op: &Op<Write>, id: EncounterId, if_version: i32) -> Result<encounter::Model> {
    let step = begin(op, Permission::ENCOUNTER_TRIAGE, "encounterTriage", (id, Some(if_version))).await?;
    let happened = Event::EncounterTriaged { encounter: id, patient: step.stored.patient_id };
    step.take(op, encounter::ActiveModel::default(), happened).await
}
