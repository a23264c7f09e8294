//! Booking a visit.

use chrono::{DateTime, Utc};
use praxis_entity::{
    appointment::{self, AppointmentStatus, Modality},
    ids::{AppointmentId, FacilityId, PatientId, PractitionerId, RoomId, VisitTypeId},
    patient::{self, PatientStatus},
    value::AppointmentNote,
};
use praxis_platform::{
    Failure, Op, Write,
    access::{Permission, Row, Table},
    audit::Entry,
};
use sea_orm::{ActiveValue::Set, Condition, EntityTrait, QueryFilter, QuerySelect, sea_query::LockType};

use super::{
    check,
    conflict::Visit,
    hold::{self, Resources},
    place,
};
use crate::{
    Result, ViolationCode,
    error::Violations,
    event::{Event, happened},
    rights,
};

/// A visit to book.
#[derive(Debug, Clone)]
pub struct BookAppointment {
    /// Who comes.
    pub patient: PatientId,
    /// Whom they see.
    pub practitioner: PractitionerId,
    /// At which branch; follows from the room, the actor or the practitioner's hours when absent.
    pub facility: Option<FacilityId>,
    /// In which room.
    pub room: Option<RoomId>,
    /// The kind of visit, which decides the buffers.
    pub visit_type: Option<VisitTypeId>,
    /// In person, by video or by phone.
    pub modality: Modality,
    /// Start.
    pub starts_at: DateTime<Utc>,
    /// Length without buffers.
    pub duration_minutes: u32,
    /// Why the patient comes, in words.
    pub reason: Option<String>,
}

/// Books a visit. Staff may book outside of a practitioner's hours, but never over another visit.
pub async fn book(op: &Op<Write>, wish: BookAppointment) -> Result<appointment::Model> {
    op.require(Permission::APPOINTMENT_BOOK)?;
    let mut found = Violations::default();
    let length = check::length(&mut found, wish.duration_minutes);
    let span = check::span(&mut found, op.now(), wish.starts_at, length);
    let reason = check::reason(&mut found, "reason", wish.reason.as_deref());
    judge_patient(op, wish.patient, &mut found).await?;
    let resources = Resources { practitioner: wish.practitioner, room: wish.room };
    let (practitioner, room) = hold::lock(op, resources).await?;
    place::judge_practitioner(&mut found, practitioner.as_ref());
    let facility =
        place::facility(op, wish.facility, room.as_ref(), wish.practitioner, span.from, &mut found).await?;
    if wish.room.is_some() {
        place::judge_room(&mut found, room.as_ref(), facility.as_ref().map(|facility| facility.id));
    }
    let buffers = place::buffers(op, wish.visit_type, &mut found).await?;
    found.check()?;
    let Some(facility) = facility else { return Err(Failure::NotFound.into()) };
    op.actor().require_at(Permission::APPOINTMENT_BOOK, facility.id)?;
    let row = Row { facility: Some(facility.id), practitioner: Some(wish.practitioner), ..Row::default() };
    let (book, seen) = (Permission::APPOINTMENT_BOOK, Permission::PATIENT_READ);
    rights::require(op, book, seen, wish.patient, &row, "patientId").await?;

    let visit = Visit { resources, facility: &facility, span, buffers, own: None };
    visit.check_free(op).await?;
    let id = AppointmentId(op.new_id());
    let note = match reason {
        Some(reason) => {
            let key = op.data_key(wish.patient.0).await?;
            let note = AppointmentNote { reason: Some(reason), cancel_reason: None };
            Some(op.seal(&key, &op.place("appointment", id.0, wish.patient.0), &note)?)
        }
        None => None,
    };
    let row = appointment::ActiveModel {
        id: Set(id),
        patient_id: Set(wish.patient),
        practitioner_id: Set(wish.practitioner),
        facility_id: Set(facility.id),
        room_id: Set(wish.room),
        visit_type_id: Set(wish.visit_type),
        modality: Set(wish.modality),
        status: Set(AppointmentStatus::Booked),
        starts_at: Set(span.from),
        ends_at: Set(span.until),
        time_zone: Set(facility.time_zone.clone()),
        note: Set(note),
        booked_by: Set(op.actor().user.map(|user| user.0)),
        ..Default::default()
    };
    let booked = appointment::Entity::insert(row).exec_with_returning(op.db()).await?;
    if !hold::hold(op, id, resources, visit.held()).await? {
        return Err(visit.lost(op).await?.into());
    }
    happened(op, Event::AppointmentBooked { appointment: id, patient: wish.patient }).await?;
    op.record(Entry::done("appointment.book").on("Appointment", id.0, booked.version).of(wish.patient.0));
    Ok(booked)
}

/// Judges whether the patient can be booked. Their status stays as it is until the operation ends.
async fn judge_patient(op: &Op<Write>, id: PatientId, found: &mut Violations) -> Result<()> {
    let seen = match op.actor().may(Permission::PATIENT_READ) {
        true => op.permitted(Permission::PATIENT_READ, Table::Patient),
        // Whoever may not read patients at all learns nothing from booking one.
        false => Condition::all(),
    };
    let patient = patient::Entity::find_by_id(id).filter(seen).lock(LockType::Share).one(op.db()).await?;
    match patient.map(|patient| patient.status) {
        Some(PatientStatus::Active) => {}
        Some(_) => found.add(ViolationCode::Locked, &["patientId"], "This patient is not active."),
        None => found.add(ViolationCode::NotFound, &["patientId"], "This does not exist."),
    }
    Ok(())
}
