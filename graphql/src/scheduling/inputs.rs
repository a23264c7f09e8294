//! What is asked about appointments and told of them.

use async_graphql::{Enum, ID, InputObject};
use praxis_domain::{StatusSet, scheduling};
use praxis_entity::appointment;

use super::types::{AppointmentStatus, AppointmentType};
use crate::{
    error::{ApiError, Code},
    ids,
    patients::{DateTimeFilter, IdFilter, too_deep},
    scalar::DateTime,
};

/// Which statuses.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct AppointmentStatusFilter {
    /// This one.
    eq: Option<AppointmentStatus>,
    /// One of these.
    #[graphql(name = "in")]
    any: Option<Vec<AppointmentStatus>>,
    /// None of these.
    not_in: Option<Vec<AppointmentStatus>>,
}

impl From<AppointmentStatusFilter> for StatusSet<appointment::AppointmentStatus> {
    fn from(filter: AppointmentStatusFilter) -> Self {
        let all = |statuses: Vec<AppointmentStatus>| statuses.into_iter().map(Into::into).collect::<Vec<_>>();
        let eq: Option<appointment::AppointmentStatus> = filter.eq.map(Into::into);
        let eq_any = match (eq, filter.any.map(all)) {
            (Some(eq), Some(any)) => Some(any.into_iter().filter(|status| *status == eq).collect()),
            (Some(eq), None) => Some(vec![eq]),
            (None, any) => any,
        };
        Self { eq_any, not_any: filter.not_in.map(all) }
    }
}

/// Which appointments. What is given side by side must all hold.
#[derive(InputObject, Debug, Clone, Default)]
pub(crate) struct AppointmentFilter {
    /// All of these hold.
    and: Option<Vec<AppointmentFilter>>,
    /// One of these holds.
    or: Option<Vec<AppointmentFilter>>,
    /// This does not hold.
    not: Option<Box<AppointmentFilter>>,
    /// With whom.
    practitioner: Option<IdFilter>,
    /// At which branch.
    facility: Option<IdFilter>,
    /// Where it stands.
    status: Option<AppointmentStatusFilter>,
    /// When it starts.
    starts_at: Option<DateTimeFilter>,
}

impl AppointmentFilter {
    /// The filter, or one that lets all pass.
    pub(crate) fn or_all(filter: Option<Self>) -> Result<scheduling::AppointmentFilter, ApiError> {
        filter.map_or_else(|| Ok(scheduling::AppointmentFilter::default()), |filter| filter.convert(5))
    }

    fn convert(self, depth: usize) -> Result<scheduling::AppointmentFilter, ApiError> {
        if depth == 0 {
            return Err(too_deep());
        }
        let all = |filters: Option<Vec<Self>>| {
            filters
                .unwrap_or_default()
                .into_iter()
                .map(|filter| filter.convert(depth - 1))
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(scheduling::AppointmentFilter {
            and: all(self.and)?,
            or: all(self.or)?,
            not: self.not.map(|filter| filter.convert(depth - 1).map(Box::new)).transpose()?,
            practitioner: self.practitioner.map(IdFilter::ids).transpose()?.flatten(),
            facility: self.facility.map(IdFilter::ids).transpose()?.flatten(),
            patient: None,
            status: self.status.map(Into::into).unwrap_or_default(),
            starts_at: self.starts_at.unwrap_or_default().into(),
        })
    }
}

/// Upwards or downwards.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrderDirection {
    /// Smallest or earliest first.
    Asc,
    /// Largest or latest first.
    Desc,
}

/// What appointments are ordered by.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "the values are named as the fields they stand for")]
pub(crate) enum AppointmentOrderField {
    /// By start.
    StartsAt,
    /// By when they were booked.
    CreatedAt,
    /// By when they last changed.
    UpdatedAt,
}

/// An order of appointments.
#[derive(InputObject, Debug, Clone, Copy)]
pub(crate) struct AppointmentOrder {
    /// By what.
    field: AppointmentOrderField,
    /// Upwards or downwards.
    #[graphql(default_with = "OrderDirection::Asc")]
    direction: OrderDirection,
}

impl AppointmentOrder {
    /// The order asked for, or by start.
    pub(crate) fn one(orders: Option<Vec<Self>>, descending: bool) -> Result<scheduling::Ordered, ApiError> {
        match orders.as_deref() {
            None | Some([]) => {
                Ok(scheduling::Ordered { by: scheduling::AppointmentOrder::StartsAt, descending })
            }
            Some([order]) => Ok(scheduling::Ordered {
                by: match order.field {
                    AppointmentOrderField::StartsAt => scheduling::AppointmentOrder::StartsAt,
                    AppointmentOrderField::CreatedAt => scheduling::AppointmentOrder::CreatedAt,
                    AppointmentOrderField::UpdatedAt => scheduling::AppointmentOrder::UpdatedAt,
                },
                descending: order.direction == OrderDirection::Desc,
            }),
            Some(_) => Err(ApiError::new(Code::BadUserInput, "orderBy takes one entry at the most.")),
        }
    }
}

/// A visit to book.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct AppointmentBookInput {
    /// Who comes.
    pub(crate) patient_id: ID,
    /// Whom they see.
    pub(crate) practitioner_id: ID,
    /// How it takes place.
    #[graphql(name = "type")]
    pub(crate) modality: AppointmentType,
    /// Start.
    pub(crate) starts_at: DateTime,
    /// Length in minutes, 5 to 480.
    #[graphql(default = 30)]
    pub(crate) duration_minutes: i32,
    /// Why the patient comes.
    pub(crate) reason: Option<String>,
    /// At which branch; the practitioner's when absent.
    pub(crate) facility_id: Option<ID>,
    /// In which room.
    pub(crate) room_id: Option<ID>,
    /// With which devices, five at the most.
    #[graphql(default)]
    pub(crate) device_ids: Vec<ID>,
    /// The kind of visit; its buffers are kept free.
    pub(crate) visit_kind_id: Option<ID>,
    /// True to book beyond what practitioner, room and devices hold, up to the limit of each. Needs `appointment:overbook`.
    #[graphql(default)]
    pub(crate) overbook: bool,
}

/// A slot to hold.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct AppointmentHoldInput {
    /// The visit.
    pub(crate) visit: AppointmentBookInput,
    /// For how many minutes, 1 to 60.
    #[graphql(default = 10)]
    pub(crate) hold_minutes: i32,
}

macro_rules! appointment_step {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(InputObject, Debug, Clone)]
            pub(crate) struct $name {
                /// The appointment.
                pub(crate) id: ID,
                /// The version that was read.
                pub(crate) if_version: i32,
            }
        )*
    };
}

appointment_step! {
    /// A hold that is taken up.
    AppointmentHoldConfirmInput;
    /// A patient who will come.
    AppointmentConfirmInput;
    /// A patient who is at the clinic.
    AppointmentArriveInput;
    /// A patient who is at the desk.
    AppointmentCheckInInput;
    /// A patient who is shown to a room.
    AppointmentRoomInput;
    /// A visit that begins.
    AppointmentStartInput;
    /// A visit that is over.
    AppointmentCompleteInput;
    /// A patient who came after all.
    AppointmentUndoNoShowInput;
    /// An appointment that should never have been booked.
    AppointmentEnterInErrorInput;
}

impl TryFrom<AppointmentBookInput> for scheduling::BookAppointment {
    type Error = ApiError;

    fn try_from(input: AppointmentBookInput) -> Result<Self, ApiError> {
        Ok(Self {
            patient: ids::parse(&input.patient_id)?,
            practitioner: ids::parse(&input.practitioner_id)?,
            facility: input.facility_id.as_ref().map(ids::parse).transpose()?,
            room: input.room_id.as_ref().map(ids::parse).transpose()?,
            visit_type: input.visit_kind_id.as_ref().map(ids::parse).transpose()?,
            modality: input.modality.into(),
            starts_at: input.starts_at.0,
            // A negative length is out of range like zero: the domain says so.
            duration_minutes: u32::try_from(input.duration_minutes).unwrap_or(0),
            reason: input.reason,
            devices: ids::parse_all(&input.device_ids)?,
            overbook: input.overbook,
        })
    }
}

/// Another time for an appointment.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct AppointmentRescheduleInput {
    /// The appointment.
    pub(crate) id: ID,
    /// The version that was read.
    pub(crate) if_version: i32,
    /// New start.
    pub(crate) starts_at: DateTime,
    /// New length in minutes; unchanged when absent.
    pub(crate) duration_minutes: Option<i32>,
    /// Another practitioner; unchanged when absent.
    pub(crate) practitioner_id: Option<ID>,
    /// Another room, null for none; unchanged when absent.
    pub(crate) room_id: async_graphql::MaybeUndefined<ID>,
    /// Other devices; unchanged when absent.
    pub(crate) device_ids: Option<Vec<ID>>,
    /// True to book beyond what practitioner, room and devices hold, up to the limit of each. Needs `appointment:overbook`.
    #[graphql(default)]
    pub(crate) overbook: bool,
}

impl TryFrom<AppointmentRescheduleInput> for scheduling::RescheduleTo {
    type Error = ApiError;

    fn try_from(input: AppointmentRescheduleInput) -> Result<Self, ApiError> {
        Ok(Self {
            starts_at: input.starts_at.0,
            duration_minutes: input.duration_minutes.map(|minutes| u32::try_from(minutes).unwrap_or(0)),
            practitioner: input.practitioner_id.as_ref().map(ids::parse).transpose()?,
            room: match &input.room_id {
                async_graphql::MaybeUndefined::Undefined => None,
                async_graphql::MaybeUndefined::Null => Some(None),
                async_graphql::MaybeUndefined::Value(id) => Some(Some(ids::parse(id)?)),
            },
            devices: input.device_ids.as_deref().map(ids::parse_all).transpose()?,
            overbook: input.overbook,
        })
    }
}

/// An appointment to call off.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct AppointmentCancelInput {
    /// The appointment.
    pub(crate) id: ID,
    /// The version that was read.
    pub(crate) if_version: i32,
    /// Why, from HL7's appointment-cancellation-reason, for example `pat` or `prov`.
    pub(crate) code: Option<String>,
    /// Why, in words.
    pub(crate) reason: Option<String>,
}

/// An appointment that the patient did not keep.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct AppointmentMarkNoShowInput {
    /// The appointment.
    pub(crate) id: ID,
    /// The version that was read.
    pub(crate) if_version: i32,
}
