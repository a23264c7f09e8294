//! Time taken for a visit: what booking, holding and series share.
//!
//! First everything the visit refers to is judged and its resources are locked, once; then each time is looked at
//! and taken. Holds that have run out are removed on the way, so that they are in nobody's way.

use chrono::{DateTime, TimeDelta, Utc};
use praxis_entity::{
    appointment::{self, AppointmentStatus, Modality},
    facility,
    ids::{
        AppointmentId, AppointmentSeriesId, DeviceId, FacilityId, PatientId, PractitionerId, RoomId,
        VisitTypeId, WaitlistEntryId,
    },
    patient::{self, PatientStatus},
    value::AppointmentNote,
    visit_type,
};
use praxis_platform::{
    Failure, Op, Write,
    access::{Permission, Row, Table},
};
use sea_orm::{ActiveValue::Set, Condition, EntityTrait, QueryFilter, QuerySelect, sea_query::LockType};

use super::{
    check,
    conflict::Visit,
    exceptions::Exceptions,
    expire,
    hold::{self, Resource, Resources},
    place,
    slots::{Buffers, Span},
};
use crate::{Result, ViolationCode, error::Violations, rights};

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
    /// With which devices.
    pub devices: Vec<DeviceId>,
    /// The kind of visit, which decides the buffers and what is needed.
    pub visit_type: Option<VisitTypeId>,
    /// In person, by video or by phone.
    pub modality: Modality,
    /// Start.
    pub starts_at: DateTime<Utc>,
    /// Length without buffers.
    pub duration_minutes: u32,
    /// Why the patient comes, in words.
    pub reason: Option<String>,
    /// Whether the time may be booked beyond what its resources hold.
    pub overbook: bool,
}

/// As what the time is taken.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Terms {
    /// Kept until then for somebody who has yet to say yes; booked when absent.
    pub(super) hold_expires_at: Option<DateTime<Utc>>,
    pub(super) series: Option<AppointmentSeriesId>,
    pub(super) waitlist_entry: Option<WaitlistEntryId>,
}

/// A visit whose circumstances are in order and whose resources are locked: only its time is left to be looked at.
pub(super) struct Prepared {
    wish: BookAppointment,
    reason: Option<String>,
    resources: Vec<Resource>,
    pub(super) facility: facility::Model,
    pub(super) kind: Option<visit_type::Model>,
    pub(super) length: TimeDelta,
}

impl Prepared {
    /// Judges everything but whether the time is free.
    pub(super) async fn of(op: &Op<Write>, mut wish: BookAppointment) -> Result<Self> {
        op.require(Permission::APPOINTMENT_BOOK)?;
        if wish.overbook {
            op.require(Permission::APPOINTMENT_OVERBOOK)?;
        }
        let mut found = Violations::default();
        let length = check::length(&mut found, wish.duration_minutes);
        let span = check::span(&mut found, op.now(), wish.starts_at, length);
        let reason = check::reason(&mut found, "reason", wish.reason.as_deref());
        let devices = check::devices(&mut found, std::mem::take(&mut wish.devices));
        judge_patient(op, wish.patient, &mut found).await?;
        let resources = Resources { practitioner: wish.practitioner, room: wish.room, devices };
        let locked = hold::lock(op, &resources).await?;
        place::judge_practitioner(&mut found, locked.practitioner.as_ref());
        let at = place::facility(op, &wish, locked.room.as_ref(), span.from, &mut found).await?;
        let facility = at.as_ref().map(|facility| facility.id);
        if wish.room.is_some() {
            place::judge_room(&mut found, locked.room.as_ref(), facility);
        }
        place::judge_devices(&mut found, &resources.devices, &locked.devices, facility);
        let kind = place::kind(op, wish.visit_type, &mut found).await?;
        if let Some(kind) = &kind {
            place::judge_needs(&mut found, kind, locked.room.as_ref(), &locked.devices);
        }
        found.check()?;
        let Some(facility) = at else { return Err(Failure::NotFound.into()) };
        op.actor().require_at(Permission::APPOINTMENT_BOOK, facility.id)?;
        let row =
            Row { facility: Some(facility.id), practitioner: Some(wish.practitioner), ..Row::default() };
        let (book, seen) = (Permission::APPOINTMENT_BOOK, Permission::PATIENT_READ);
        rights::require(op, book, seen, wish.patient, &row, "patientId").await?;
        if wish.overbook {
            let overbook = Permission::APPOINTMENT_OVERBOOK;
            rights::require(op, overbook, seen, wish.patient, &row, "patientId").await?;
        }
        Ok(Self { wish, reason, resources: locked.resources(), facility, kind, length })
    }

    /// The span of the time that was wished for.
    pub(super) fn span(&self) -> Span {
        self.at(self.wish.starts_at)
    }

    /// The span of a visit that starts then, in full seconds.
    pub(super) fn at(&self, starts_at: DateTime<Utc>) -> Span {
        let from = check::seconds(starts_at);
        Span { from, until: from + self.length }
    }

    /// Takes the time, or says what is in the way.
    pub(super) async fn take(&self, op: &Op<Write>, span: Span, terms: Terms) -> Result<appointment::Model> {
        let lanes = self.lanes(op, span).await?;
        self.take_lanes(op, span, &lanes, terms).await
    }

    fn visit(&self, span: Span) -> Visit<'_> {
        Visit {
            practitioner: self.wish.practitioner,
            resources: &self.resources,
            facility: &self.facility,
            span,
            buffers: self.kind.as_ref().map(Buffers::from).unwrap_or_default(),
            own: None,
            overbook: self.wish.overbook,
        }
    }

    /// Whether the branch, or one of the resources, is closed during a part of the span. Staff may book it all the
    /// same; nobody is offered it.
    pub(super) async fn is_closed(&self, op: &Op<Write>, span: Span) -> Result<bool> {
        let ids: Vec<_> = self.resources.iter().map(|resource| resource.id).collect();
        let exceptions = Exceptions::within(op, &[self.facility.id], span).await?;
        let closed = exceptions.closed(self.facility.id, &ids);
        Ok(closed.iter().any(|closed| closed.from < span.until && span.from < closed.until))
    }

    /// A free lane of each resource, or what is in the way. Nothing is taken yet.
    pub(super) async fn lanes(&self, op: &Op<Write>, span: Span) -> Result<Vec<i32>> {
        let visit = self.visit(span);
        let ids: Vec<_> = self.resources.iter().map(|resource| resource.id).collect();
        expire::in_the_way(op, &ids, visit.held()).await?;
        visit.free_lanes(op).await
    }

    /// Takes the time in these lanes.
    pub(super) async fn take_lanes(
        &self,
        op: &Op<Write>,
        span: Span,
        lanes: &[i32],
        terms: Terms,
    ) -> Result<appointment::Model> {
        let visit = self.visit(span);
        let id = AppointmentId(op.new_id());
        let row = appointment::ActiveModel {
            id: Set(id),
            patient_id: Set(self.wish.patient),
            practitioner_id: Set(self.wish.practitioner),
            facility_id: Set(self.facility.id),
            room_id: Set(self.wish.room),
            visit_type_id: Set(self.wish.visit_type),
            modality: Set(self.wish.modality),
            status: Set(match terms.hold_expires_at {
                Some(_) => AppointmentStatus::Pending,
                None => AppointmentStatus::Booked,
            }),
            starts_at: Set(span.from),
            ends_at: Set(span.until),
            time_zone: Set(self.facility.time_zone.clone()),
            note: Set(self.note(op, id).await?),
            booked_by: Set(op.actor().user.map(|user| user.0)),
            hold_expires_at: Set(terms.hold_expires_at),
            series_id: Set(terms.series),
            waitlist_entry_id: Set(terms.waitlist_entry),
            overbooked: Set(lanes.iter().any(|lane| *lane < 0)),
            ..Default::default()
        };
        let taken = appointment::Entity::insert(row).exec_with_returning(op.db()).await?;
        if !hold::hold(op, id, &self.resources, lanes, visit.held()).await? {
            return Err(visit.lost(op).await?.into());
        }
        Ok(taken)
    }

    async fn note(
        &self,
        op: &Op<Write>,
        id: AppointmentId,
    ) -> Result<Option<praxis_entity::value::Sealed<AppointmentNote>>> {
        let Some(reason) = self.reason.clone() else { return Ok(None) };
        let patient = self.wish.patient.0;
        let key = op.data_key(patient).await?;
        let note = AppointmentNote { reason: Some(reason), cancel_reason: None };
        Ok(Some(op.seal(&key, &op.place("appointment", id.0, patient), &note)?))
    }
}

/// Judges whether the patient can be booked. Their status stays as it is until the operation ends.
pub(super) async fn judge_patient(op: &Op<Write>, id: PatientId, found: &mut Violations) -> Result<()> {
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
