//! Holidays, absences, repairs and extra hours.

use async_graphql::{Context, Enum, ID, InputObject, Object, OneofObject, SimpleObject};
use praxis_domain::scheduling;
use praxis_entity::{availability_exception, ids::AvailabilityExceptionId};
use praxis_platform::{Op, Write};

use crate::{
    clinic::{Device, Facility, Room},
    context::{Ask, change},
    error::{ApiError, Edge, Nullable},
    ids,
    payload::UserError,
    scalar::{Date, DateTime, LocalTime, TimeZone},
    staff::Practitioner,
};

/// Whether time is taken away or added.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "availability_exception::ExceptionKind")]
pub(crate) enum AvailabilityExceptionKind {
    /// Nobody is seen.
    Closed,
    /// Patients are seen besides the weekly hours.
    Extra,
}

/// Time at which a branch or a resource is closed, or a practitioner works in addition.
pub(crate) struct AvailabilityException {
    row: availability_exception::Model,
}

/// Time at which a branch or a resource is closed, or a practitioner works in addition.
#[Object]
impl AvailabilityException {
    /// Opaque id.
    async fn id(&self) -> ID {
        ids::show(self.row.id)
    }

    /// Grows by one on each write; send it back as `ifVersion`.
    async fn version(&self) -> i32 {
        self.row.version
    }

    /// When it was added.
    async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// At which branch.
    async fn facility(&self, ctx: &Context<'_>) -> Nullable<Facility> {
        async { Ok(ctx.caller()?.loaders().facilities.load(self.row.facility_id).await?.map(Facility::new)) }
            .await
            .or_hidden()
    }

    /// Whose time; with room and device absent as well, the whole branch's.
    async fn practitioner(&self, ctx: &Context<'_>) -> Nullable<Practitioner> {
        async {
            let Some(id) = self.row.practitioner_id else { return Ok(None) };
            Ok(ctx.caller()?.loaders().practitioners.load(id).await?.map(Practitioner::new))
        }
        .await
        .or_hidden()
    }

    /// Which room's time.
    async fn room(&self, ctx: &Context<'_>) -> Nullable<Room> {
        async {
            let Some(id) = self.row.room_id else { return Ok(None) };
            Ok(ctx.caller()?.loaders().rooms.load(id).await?.map(Room::new))
        }
        .await
        .or_hidden()
    }

    /// Which device's time.
    async fn device(&self, ctx: &Context<'_>) -> Nullable<Device> {
        async {
            let Some(id) = self.row.device_id else { return Ok(None) };
            Ok(ctx.caller()?.loaders().devices.load(id).await?.map(Device::new))
        }
        .await
        .or_hidden()
    }

    /// Closed or extra.
    fn kind(&self) -> AvailabilityExceptionKind {
        self.row.kind.into()
    }

    /// First day.
    fn first_day(&self) -> Date {
        Date(self.row.first_day)
    }

    /// Last day.
    fn last_day(&self) -> Date {
        Date(self.row.last_day)
    }

    /// First minute on each day, wall clock; all day when absent.
    fn starts_local(&self) -> Option<LocalTime> {
        self.row.starts_local.map(LocalTime)
    }

    /// End on each day, wall clock.
    fn ends_local(&self) -> Option<LocalTime> {
        self.row.ends_local.map(LocalTime)
    }

    /// Zone of the wall clock.
    fn time_zone(&self) -> TimeZone {
        TimeZone(self.row.time_zone.clone())
    }
}

/// Whose time it is.
#[derive(OneofObject)]
#[expect(clippy::enum_variant_names, reason = "named as the API names them")]
pub(crate) enum AvailabilityOf {
    /// A practitioner's.
    PractitionerId(ID),
    /// A room's.
    RoomId(ID),
    /// A device's.
    DeviceId(ID),
}

/// From one time of the day to another.
#[derive(InputObject)]
pub(crate) struct LocalTimesInput {
    /// First minute, wall clock.
    starts_local: LocalTime,
    /// End, wall clock.
    ends_local: LocalTime,
}

/// An exception to add.
#[derive(InputObject)]
pub(crate) struct AvailabilityExceptionAddInput {
    /// At which branch.
    facility_id: ID,
    /// Whose time; the whole branch's when absent.
    of: Option<AvailabilityOf>,
    /// Closed or extra.
    kind: AvailabilityExceptionKind,
    /// First day.
    first_day: Date,
    /// Last day; the first one when absent.
    last_day: Option<Date>,
    /// From when to when on each day; all day when absent.
    times: Option<LocalTimesInput>,
}

/// The new exception, or why there is none.
#[derive(SimpleObject)]
pub(crate) struct AvailabilityExceptionAddPayload {
    /// The new exception.
    availability_exception: Option<AvailabilityException>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// An exception to take back.
#[derive(InputObject)]
pub(crate) struct AvailabilityExceptionRemoveInput {
    /// The exception.
    id: ID,
    /// The version that was read.
    if_version: i32,
}

/// The exception that is gone, or why it is not.
#[derive(SimpleObject)]
pub(crate) struct AvailabilityExceptionRemovePayload {
    /// Id of the exception that is gone.
    removed_id: Option<ID>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// Looking at exceptions.
#[derive(Default)]
pub(crate) struct ExceptionQuery;

#[Object]
impl ExceptionQuery {
    /// What differs from the weekly hours of a branch, from a day on; 500 at the most.
    async fn availability_exceptions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At which branch.")] facility_id: ID,
        #[graphql(desc = "Not over before this day; today when absent.")] from: Option<Date>,
    ) -> Result<Vec<AvailabilityException>, ApiError> {
        let op = ctx.read("Query.availabilityExceptions")?;
        let from = from.map_or_else(|| op.now().date_naive(), |day| day.0);
        let rows = scheduling::exceptions(op, ids::parse(&facility_id)?, from).await?;
        Ok(rows.into_iter().map(|row| AvailabilityException { row }).collect())
    }
}

/// Adding and removing exceptions.
#[derive(Default)]
pub(crate) struct ExceptionMutation;

#[Object]
impl ExceptionMutation {
    /// Closes a branch, practitioner, room or device for a while, or adds hours of a practitioner. Visits that are
    /// booked already stay as they are.
    ///
    /// Errors: INVALID, OUT_OF_RANGE, NOT_FOUND.
    async fn availability_exception_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The exception.")] input: AvailabilityExceptionAddInput,
    ) -> Result<AvailabilityExceptionAddPayload, ApiError> {
        let whose = match &input.of {
            None => scheduling::Whose::Facility,
            Some(AvailabilityOf::PractitionerId(id)) => scheduling::Whose::Practitioner(ids::parse(id)?),
            Some(AvailabilityOf::RoomId(id)) => scheduling::Whose::Room(ids::parse(id)?),
            Some(AvailabilityOf::DeviceId(id)) => scheduling::Whose::Device(ids::parse(id)?),
        };
        let new = scheduling::AddException {
            facility: ids::parse(&input.facility_id)?,
            whose,
            kind: input.kind.into(),
            first_day: input.first_day.0,
            last_day: input.last_day.map(|day| day.0),
            times: input.times.map(|times| (times.starts_local.0, times.ends_local.0)),
        };
        let add = async |op: &_| scheduling::add_exception(op, new).await;
        let (row, user_errors) = change(ctx, "Mutation.availabilityExceptionAdd", add).await?.split();
        let availability_exception = row.map(|row| AvailabilityException { row });
        Ok(AvailabilityExceptionAddPayload { availability_exception, user_errors })
    }

    /// Takes an exception back.
    ///
    /// Errors: NOT_FOUND, VERSION_CONFLICT.
    async fn availability_exception_remove(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The exception.")] input: AvailabilityExceptionRemoveInput,
    ) -> Result<AvailabilityExceptionRemovePayload, ApiError> {
        let id: AvailabilityExceptionId = ids::parse(&input.id)?;
        let remove = async |op: &Op<Write>| scheduling::remove_exception(op, id, input.if_version).await;
        let (id, user_errors) = change(ctx, "Mutation.availabilityExceptionRemove", remove).await?.split();
        Ok(AvailabilityExceptionRemovePayload { removed_id: id.map(ids::show), user_errors })
    }
}
