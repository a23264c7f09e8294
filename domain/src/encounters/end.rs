//! A visit that does not take place, and one that is opened again.

use chrono::TimeDelta;
use praxis_entity::{
    encounter::{self, EncounterClass},
    encounter_note::EncounterNoteKind,
    ids::EncounterId,
    visit_policy,
};
use praxis_platform::{Failure, Op, Write, access::Permission};
use sea_orm::{ActiveEnum, ActiveValue::Set, EntityTrait};

use super::change::begin;
use crate::{Result, Violation, ViolationCode, event::Event, scheduling};

/// What the clinic asks of a kind of visit.
pub(crate) async fn policy<M>(op: &Op<M>, class: EncounterClass) -> Result<visit_policy::Model> {
    let found = visit_policy::Entity::find_by_id(class.to_value()).one(op.db()).await?;
    Ok(found.ok_or_else(|| Failure::Internal("a kind of visit without a policy".to_owned()))?)
}

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
