//! Closing a visit, through the gate or, for a reason, past it.

use praxis_entity::{
    appointment::AppointmentStatus,
    encounter, encounter_closing,
    encounter_note::EncounterNoteKind,
    ids::EncounterId,
    value::{CodeableConcept, EncounterClinical},
};
use praxis_platform::{
    Failure, Op, Write,
    access::{Permission, Row},
};
use sea_orm::{ActiveValue::Set, EntityTrait};

use super::gate::requirements;
use crate::{Detail, Result, Violation, ViolationCode, encounters, event::Event, rights, rules, scheduling};

/// How a visit is closed.
#[derive(Debug, Clone, Default)]
pub struct Closing {
    /// Where the patient goes.
    pub disposition: Option<CodeableConcept>,
    /// Why it is closed although something is missing.
    pub override_reason: Option<String>,
}

/// Closes a visit. The gate is asked under the lock of the visit's row.
pub async fn close(
    op: &Op<Write>,
    id: EncounterId,
    if_version: i32,
    closing: Closing,
) -> Result<encounter::Model> {
    let at = (id, Some(if_version));
    let step = encounters::begin(op, Permission::ENCOUNTER_CLOSE, "encounterClose", at).await?;
    let visits = std::slice::from_ref(&step.stored);
    let missing = requirements(op, visits).await?.remove(&id).unwrap_or_default();
    let mut codes: Vec<_> = missing.iter().map(|missing| missing.requirement.name()).collect();
    codes.sort_unstable();
    codes.dedup();
    if !missing.is_empty() {
        let Some(reason) = closing.override_reason.as_deref() else {
            let message = "Something is missing before this encounter can be closed.";
            let gate = Violation::at(ViolationCode::CloseGate, &["id"], message);
            return Err(gate.with(Detail::CloseGate(missing)).into());
        };
        let (seen, row) = (Permission::ENCOUNTER_READ, Row::from(&step.stored));
        let needed = Permission::ENCOUNTER_OVERRIDE_CLOSE_GATE;
        rights::require(op, needed, seen, step.stored.patient_id, &row, "id").await?;
        step.because(op, EncounterNoteKind::Override, reason).await?;
    }
    // What the clinic's rules found is written down with the closing that they were asked about.
    rules::evaluate(op, rules::Trigger::EncounterClosing { encounter: id }).await?;
    let closed = encounter_closing::ActiveModel {
        encounter_id: Set(id),
        encounter_version: Set(step.stored.version),
        closed_at: Set(op.now()),
        closed_by: Set(op.actor().user),
        missing: Set(codes.clone()),
    };
    encounter_closing::Entity::insert(closed).exec_without_returning(op.db()).await?;
    encounters::all_leave(op, id).await?;
    if let Some(appointment) = step.stored.appointment_id {
        scheduling::follow(op, appointment, AppointmentStatus::Completed).await?;
    }
    let mut change = encounter::ActiveModel {
        ended_at: Set(step.stored.ended_at.or(Some(op.now()))),
        closed_at: Set(Some(op.now())),
        ..Default::default()
    };
    if let Some(disposition) = closing.disposition {
        change.clinical = Set(Some(disposed(op, &step.stored, disposition).await?));
    }
    let patient = step.stored.patient_id;
    let happened = Event::EncounterClosed { encounter: id, patient, overridden: !codes.is_empty() };
    let because = codes.join(" ");
    step.take_as(
        op,
        change,
        happened,
        |entry| {
            if because.is_empty() { entry } else { entry.because(because) }
        },
    )
    .await
}

async fn disposed(
    op: &Op<Write>,
    visit: &encounter::Model,
    disposition: CodeableConcept,
) -> Result<praxis_entity::value::Sealed<EncounterClinical>> {
    let (id, patient) = (visit.id.0, visit.patient_id.0);
    let (key, place) = (op.data_key(patient).await?, op.place("encounter", id, patient));
    let before = match &visit.clinical {
        Some(clinical) => op.open_unseen(&key, &place, clinical).await?,
        None => EncounterClinical::default(),
    };
    let clinical = EncounterClinical { discharge_disposition: Some(disposition), ..before };
    Ok::<_, Failure>(op.seal(&key, &place, &clinical)?).map_err(Into::into)
}
