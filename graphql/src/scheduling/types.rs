//! The appointment.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object};
use praxis_domain::{PageRequest, Position, scheduling};
use praxis_entity::{
    appointment,
    ids::{FacilityId, PatientId, PractitionerId},
    value::AppointmentNote,
};

use sea_orm::ActiveEnum;

use super::AppointmentSeries;
use crate::{
    allowed,
    at_once::AtOnce,
    clinic::{Device, Facility, Room, VisitKind},
    context::{Ask, Caller},
    encounters::Encounter,
    error::{ApiError, Edge, Nullable},
    ids,
    page::{self, Count, Cursors, Page, connection, count_under, slice_under},
    patients::Patient,
    phi::{Class, Phi},
    policy::at,
    redaction::{self, Redaction},
    scalar::{DateTime, TimeZone},
    sensitivity::Confidentiality,
    staff::Practitioner,
    subject::Subject,
};

/// How a visit takes place.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "appointment::Modality")]
pub(crate) enum AppointmentType {
    /// At the clinic.
    InPerson,
    /// By video.
    Video,
    /// By telephone.
    Phone,
}

/// Where an appointment stands.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "appointment::AppointmentStatus")]
pub(crate) enum AppointmentStatus {
    /// The time is reserved.
    Booked,
    /// The patient confirmed.
    Confirmed,
    /// The patient has checked in at the desk.
    CheckedIn,
    /// The visit is under way.
    InProgress,
    /// The visit took place.
    Completed,
    /// Called off; the time is free again.
    Cancelled,
    /// The patient did not come.
    NoShow,
    /// The time is kept until `holdExpiresAt` for somebody who has not said yes.
    Pending,
    /// The patient is at the clinic, and not at the desk yet.
    Arrived,
    /// The patient was shown to a room.
    InRoom,
    /// Nobody said yes in time; the time is free again.
    Expired,
    /// It should never have been booked.
    EnteredInError,
}

/// A booked visit.
pub(crate) struct Appointment {
    row: appointment::Model,
    subject: Arc<Subject>,
    note: Option<Arc<Class<AppointmentNote>>>,
}

impl Appointment {
    pub(crate) fn new(row: appointment::Model) -> Self {
        let subject = Subject::new(row.patient_id, &row);
        let note = row.note.clone().map(|note| Class::new("appointment", row.id.0, &subject, note));
        Self { row, subject, note }
    }

    /// Whether it is with a practitioner.
    pub(crate) fn is_with(&self, practitioner: PractitionerId) -> bool {
        self.row.practitioner_id == practitioner
    }

    /// Whether it is at a branch.
    pub(crate) fn is_at(&self, facility: FacilityId) -> bool {
        self.row.facility_id == facility
    }
}

/// A booked visit.
#[Object]
impl Appointment {
    /// Opaque id.
    pub(crate) async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// Grows by one on each write; send it back as `ifVersion`.
    pub(crate) async fn version(&self) -> i32 {
        self.row.version
    }

    /// When it was booked.
    pub(crate) async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// When it last changed.
    pub(crate) async fn updated_at(&self) -> DateTime {
        DateTime(self.row.updated_at)
    }

    /// Fields that came back null for a reason other than 'no value'.
    pub(crate) async fn redactions(&self, ctx: &Context<'_>) -> Result<Vec<Redaction>, ApiError> {
        redaction::of(ctx.caller()?, "Appointment", &self.subject, self.note.is_some()).await
    }

    /// How sensitive it is: by its own label, or what it hangs on.
    async fn confidentiality(&self, ctx: &Context<'_>) -> Result<Confidentiality, ApiError> {
        Ok(self.subject.level(ctx.caller()?).await?.into())
    }

    /// What the viewer may do with it: permission codes.
    async fn viewer_permissions(&self, ctx: &Context<'_>) -> Result<Vec<&'static str>, ApiError> {
        self.subject.permissions(ctx.caller()?).await
    }

    /// Names of the mutations that the viewer may run on the appointment as it stands.
    async fn allowed_actions(&self, ctx: &Context<'_>) -> Result<Vec<String>, ApiError> {
        let caller = ctx.caller()?;
        let status = self.row.status.to_value();
        let mut open = allowed::actions(caller, "appointment", &self.subject, &status).await?;
        open.retain(|action| scheduling::is_timely(caller.reading(), &self.row, action));
        Ok(open)
    }

    /// Who comes.
    async fn patient(&self, ctx: &Context<'_>) -> Nullable<Patient> {
        async { Ok(ctx.caller()?.loaders().patients.load(self.row.patient_id).await?.map(Patient::new)) }
            .await
            .or_hidden()
    }

    /// Whom they see.
    async fn practitioner(&self, ctx: &Context<'_>) -> Nullable<AtOnce<Practitioner>> {
        async {
            let found = ctx.caller()?.loaders().practitioners.load(self.row.practitioner_id).await?;
            Ok(found.map(Practitioner::new).map(AtOnce))
        }
        .await
        .or_hidden()
    }

    /// At which branch.
    async fn facility(&self, ctx: &Context<'_>) -> Nullable<Facility> {
        async { Ok(ctx.caller()?.loaders().facilities.load(self.row.facility_id).await?.map(Facility::new)) }
            .await
            .or_hidden()
    }

    /// In which room, when one is reserved.
    async fn room(&self, ctx: &Context<'_>) -> Nullable<Room> {
        async {
            let Some(id) = self.row.room_id else { return Ok(None) };
            Ok(ctx.caller()?.loaders().rooms.load(id).await?.map(Room::new))
        }
        .await
        .or_hidden()
    }

    /// With which devices.
    async fn devices(&self, ctx: &Context<'_>) -> Result<Vec<Device>, ApiError> {
        let devices = ctx.caller()?.loaders().devices_of_appointments.load(self.row.id).await?;
        Ok(devices.unwrap_or_default().into_iter().map(Device::new).collect())
    }

    /// The series that it belongs to.
    async fn series(&self, ctx: &Context<'_>) -> Nullable<AppointmentSeries> {
        async {
            let Some(id) = self.row.series_id else { return Ok(None) };
            Ok(ctx.caller()?.loaders().series.load(id).await?.map(AppointmentSeries::new))
        }
        .await
        .or_hidden()
    }

    /// Until when the time is kept, while nobody has said yes.
    fn hold_expires_at(&self) -> Option<DateTime> {
        self.row.hold_expires_at.map(DateTime)
    }

    /// True when it was booked on purpose beyond what its resources hold.
    fn overbooked(&self) -> bool {
        self.row.overbooked
    }

    /// True when it was called off after the cut-off time of its kind.
    fn cancelled_late(&self) -> bool {
        self.row.cancelled_late
    }

    /// The kind of visit.
    async fn visit_kind(&self, ctx: &Context<'_>) -> Nullable<VisitKind> {
        async {
            let Some(id) = self.row.visit_type_id else { return Ok(None) };
            Ok(ctx.caller()?.loaders().visit_types.load(id).await?.map(VisitKind::new))
        }
        .await
        .or_hidden()
    }

    /// How it takes place.
    #[graphql(name = "type")]
    fn modality(&self) -> AppointmentType {
        self.row.modality.into()
    }

    /// Where it stands.
    fn status(&self) -> AppointmentStatus {
        self.row.status.into()
    }

    /// Start.
    fn starts_at(&self) -> DateTime {
        DateTime(self.row.starts_at)
    }

    /// End.
    fn ends_at(&self) -> DateTime {
        DateTime(self.row.ends_at)
    }

    /// Zone of the branch when it was booked.
    fn time_zone(&self) -> TimeZone {
        TimeZone(self.row.time_zone.clone())
    }

    /// Why the patient comes.
    fn reason(&self) -> Phi<AppointmentNote, String> {
        Phi::optional(at!("Appointment.reason"), self.note.as_ref(), |note| note.reason.clone())
    }

    /// Why it was cancelled, in words.
    fn cancel_reason(&self) -> Phi<AppointmentNote, String> {
        Phi::optional(at!("Appointment.cancelReason"), self.note.as_ref(), |note| note.cancel_reason.clone())
    }

    /// Why it was cancelled, from HL7's appointment-cancellation-reason.
    fn cancel_code(&self) -> Option<String> {
        self.row.cancel_code.clone()
    }

    /// The encounter it led to.
    async fn encounter(&self, ctx: &Context<'_>) -> Nullable<Encounter> {
        async {
            if !redaction::allowed(ctx, at!("Appointment.encounter"), &self.subject).await? {
                return Ok(None);
            }
            Ok(ctx
                .caller()?
                .loaders()
                .encounters_of_appointments
                .load(self.row.id)
                .await?
                .map(Encounter::new))
        }
        .await
        .transpose()
    }
}

connection!(
    /// A page of appointments.
    AppointmentConnection, AppointmentEdge, Appointment
);

impl AppointmentConnection {
    /// The same with the clinicians of its rows at hand where they are asked for.
    pub(crate) async fn with_practitioners(self, ctx: &Context<'_>) -> Result<Self, ApiError> {
        page::bring_practitioners(ctx, self.page.rows.iter().map(|(_, node)| node.row.practitioner_id))
            .await?;
        Ok(self)
    }

    /// Builds the page of a list ordered as asked.
    pub(crate) fn of_slice(
        slice: praxis_domain::Slice<appointment::Model>,
        order: scheduling::Ordered,
        cursors: Cursors,
        count: Count,
    ) -> Self {
        let position: fn(&appointment::Model) -> Position = match order.by {
            scheduling::AppointmentOrder::StartsAt => {
                |row| Position { key: Some(row.starts_at), id: row.id.0 }
            }
            scheduling::AppointmentOrder::CreatedAt => {
                |row| Position { key: Some(row.created_at), id: row.id.0 }
            }
            scheduling::AppointmentOrder::UpdatedAt => {
                |row| Position { key: Some(row.updated_at), id: row.id.0 }
            }
        };
        Self::new(Page::new(slice, cursors, position, Appointment::new), count)
    }

    /// The appointments of one patient, loaded together with those of its siblings.
    pub(crate) async fn of_patient(
        caller: &Caller,
        patient: PatientId,
        filter: scheduling::AppointmentFilter,
        order: scheduling::Ordered,
        page: PageRequest,
        cursors: Cursors,
    ) -> Result<Self, ApiError> {
        let arguments = format!("{}{page:?}", cursors.asked());
        let (op, wanted) = (caller.reading().clone(), filter.clone());
        let slice =
            slice_under(&caller.loaders().appointments_of_patients, arguments, patient, move |patients| {
                let (op, filter) = (op.clone(), wanted.clone());
                async move { Ok(scheduling::of_patients(&op, &patients, &filter, order, &page).await?) }
            })
            .await?;
        let (op, arguments) = (caller.reading().clone(), cursors.asked());
        let count = count_under(
            caller,
            |loaders| &loaders.patient_counts,
            arguments,
            patient,
            move |patients, max| {
                let (op, filter) = (op.clone(), filter.clone());
                async move { Ok(scheduling::count_of_patients(&op, &patients, &filter, max).await?) }
            },
        );
        Ok(Self::of_slice(slice, order, cursors, count))
    }
}
