//! A visit that does not take place, and one that is opened again.

use chrono::TimeDelta;
use praxis_entity::{encounter, encounter_note::EncounterNoteKind, ids::EncounterId};
use praxis_platform::{Op, Write, access::Permission};
use sea_orm::ActiveValue::Set;

use super::{change::begin, policy::policy};
use crate::{Result, Violation, ViolationCode, event::Event, scheduling};

/// Records that the visit does not take place. Where the patient was here, their appointment is called off with it, in
/// the same transaction; one for which they never came is cancelled or missed by a verb of its own.
pub async fn cancel(
    op: &Op<Write>,
    id: EncounterId,
    if_version: i32,
    reason: &str,
) -> Result<encounter::Model> {
    let step = begin(op, Permission::ENCOUNTER_CANCEL, "encounterCancel", (id, Some(if_version))).await?;
    if let Some(appointment) = step.stored.appointment_id {
        scheduling::left(op, appointment).await?;
    }
    step.because(op, EncounterNoteKind::Cancellation, reason).await?;
    let happened = Event::EncounterCancelled { encounter: id, patient: step.stored.patient_id };
    step.take(op, encounter::ActiveModel::default(), happened).await
}

/// Opens a closed visit again, for a reason and within the days that the clinic allows; afterwards there are addenda.
pub async fn reopen(
    op: &Op<Write>,
    id: EncounterId,
    if_version: i32,
    reason: &str,
) -> Result<encounter::Model> {
    let step = begin(op, Permission::ENCOUNTER_REOPEN, "encounterReopen", (id, Some(if_version))).await?;
    let days = policy(op, step.stored.class).await?.reopen_days;
    let over = step.stored.closed_at.or(step.stored.ended_at).unwrap_or(step.stored.updated_at);
    if op.now() > over + TimeDelta::days(i64::from(days)) {
        let message = format!("This was closed more than {days} days ago; add an addendum instead.");
        return Err(Violation::at(ViolationCode::Locked, &["id"], message).into());
    }
    step.because(op, EncounterNoteKind::Reopening, reason).await?;
    let change = encounter::ActiveModel { ended_at: Set(None), closed_at: Set(None), ..Default::default() };
    let happened = Event::EncounterReopened { encounter: id, patient: step.stored.patient_id };
    step.take(op, change, happened).await
}
