//! Expecting a patient.

use chrono::{DateTime, TimeDelta, Utc};
use praxis_entity::{
    appointment::{self, AppointmentStatus, Modality},
    encounter::{self, EncounterClass, EncounterStatus},
    ids::{AppointmentId, EncounterId, FacilityId, PatientId, PractitionerId},
    value::{CodeableConcept, EncounterClinical},
};
use praxis_platform::{
    Failure, Op, Write,
    access::{ActorKind, Permission, Row},
    audit::Entry,
    literal::Literal,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};

use super::record::explain;
use crate::{
    Result, Violation, ViolationCode, clinic,
    coded::code_tokens,
    error::Violations,
    event::{self, Event},
    patients::open_charts,
    rights, scheduling,
};

const LONGEST_REASON: usize = 1_000;

/// A visit that is expected.
#[derive(Debug, Clone, Default)]
pub struct PlanEncounter {
    /// Whose.
    pub patient: Option<PatientId>,
    /// The appointment that it comes of; what is not given is taken from there.
    pub appointment: Option<AppointmentId>,
    /// Who is responsible.
    pub practitioner: Option<PractitionerId>,
    /// At which branch.
    pub facility: Option<FacilityId>,
    /// Setting.
    pub class: Option<EncounterClass>,
    /// When it is expected.
    pub planned_for: Option<DateTime<Utc>>,
    /// Why the patient comes.
    pub reasons: Vec<CodeableConcept>,
}

/// Plans a visit, of an appointment or without one.
pub async fn plan(op: &Op<Write>, new: PlanEncounter) -> Result<encounter::Model> {
    op.require(Permission::ENCOUNTER_CREATE)?;
    let booked = match new.appointment {
        Some(id) => Some(booked(op, id, new.patient).await?),
        None => None,
    };
    let patient = new.patient.or(booked.as_ref().map(|booked| booked.patient_id));
    let patient = patient
        .ok_or_else(|| Violation::at(ViolationCode::Required, &["patientId"], "Say whose visit it is."))?;
    let of = booked.as_ref();
    let practitioner = new.practitioner.or(of.map(|booked| booked.practitioner_id));
    let facility = new.facility.or(of.map(|booked| booked.facility_id)).or(op.actor().facility);
    // Judged as the visit that it will be: at its branch, with its clinician.
    let (create, seen) = (Permission::ENCOUNTER_CREATE, Permission::PATIENT_READ);
    rights::require(op, create, seen, patient, &Row::of(patient.0), "patientId").await?;
    if let Some(facility) = facility
        && op.actor().kind == ActorKind::User
    {
        op.actor().require_at(create, facility)?;
    }
    let row = Row { facility, practitioner, ..Row::default() };
    rights::require(op, create, seen, patient, &row, "patientId").await?;
    let reasons = judged(op, &new)?;
    let (charts, index) = (open_charts(op, &[patient]).await?, op.tenant_key().await?);
    let key = charts.get(&patient).ok_or(Failure::KeyUnavailable)?;
    let id = EncounterId(op.new_id());
    let clinical = EncounterClinical { reasons, ..EncounterClinical::default() };
    let row = encounter::ActiveModel {
        id: Set(id),
        patient_id: Set(patient),
        practitioner_id: Set(practitioner),
        facility_id: Set(facility),
        appointment_id: Set(new.appointment),
        class: Set(new.class.unwrap_or(of.map_or(EncounterClass::Ambulatory, class))),
        status: Set(EncounterStatus::Planned),
        planned_for: Set(new.planned_for.or(of.map(|booked| booked.starts_at))),
        code_tokens: Set(code_tokens(&index, &clinical.reasons)),
        clinical: Set(Some(op.seal(key, &op.place("encounter", id.0, patient.0), &clinical)?)),
        ..Default::default()
    };
    let planned = encounter::Entity::insert(row).exec_with_returning(op.db()).await.map_err(explain)?;
    event::happened(op, Event::EncounterPlanned { encounter: id, patient }).await?;
    op.record(Entry::done("encounter.create").on("Encounter", id.0, planned.version).of(patient.0));
    Ok(planned)
}

/// The appointment, locked, if the visit may come of it.
async fn booked(op: &Op<Write>, id: AppointmentId, patient: Option<PatientId>) -> Result<appointment::Model> {
    let booked = scheduling::locked(op, id, "appointmentId").await?;
    if patient.is_some_and(|patient| patient != booked.patient_id) {
        return Err(Violation::unknown("appointmentId").into());
    }
    if matches!(booked.status, AppointmentStatus::Cancelled | AppointmentStatus::NoShow) {
        let message = "This appointment was called off or missed.";
        return Err(Violation::at(ViolationCode::Locked, &["appointmentId"], message).into());
    }
    let others = encounter::Entity::find()
        .filter(encounter::Column::AppointmentId.eq(id))
        .filter(encounter::Column::Status.is_not(EncounterStatus::Cancelled))
        .count(op.db())
        .await?;
    if others > 0 {
        let message = "There is an encounter of this appointment already.";
        return Err(Violation::at(ViolationCode::AlreadyExists, &["appointmentId"], message).into());
    }
    Ok(booked)
}

fn class(booked: &appointment::Model) -> EncounterClass {
    match booked.modality {
        Modality::InPerson => EncounterClass::Ambulatory,
        Modality::Video | Modality::Phone => EncounterClass::Virtual,
    }
}

fn judged(op: &Op<Write>, new: &PlanEncounter) -> Result<Vec<CodeableConcept>> {
    let mut found = Violations::default();
    let sensible = op.now() - TimeDelta::days(1)..op.now() + TimeDelta::days(731);
    if new.planned_for.is_some_and(|at| !sensible.contains(&at)) {
        found.add(
            ViolationCode::OutOfRange,
            &["plannedFor"],
            "Give a time from yesterday to two years ahead.",
        );
    }
    if new.reasons.len() > 10 {
        found.add(ViolationCode::TooLong, &["reasons"], "There are more than 10 reasons.");
    }
    for (at, reason) in new.reasons.iter().enumerate() {
        let path = ["reasons", &at.to_string()];
        let text = clinic::text::optional_line(&mut found, &path, reason.text.as_deref(), LONGEST_REASON);
        if text.is_none() && reason.codings.is_empty() {
            found.add(ViolationCode::Required, &path, "Give a text or a code.");
        }
    }
    found.check()?;
    Ok(new.reasons.clone())
}
