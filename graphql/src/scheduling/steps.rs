//! The way of a visit through the clinic, step by step.

use async_graphql::{Context, Object, SimpleObject};
use praxis_domain::scheduling;
use praxis_entity::appointment::{self, AppointmentStatus};

use super::{
    Appointment,
    inputs::{
        AppointmentArriveInput, AppointmentCheckInInput, AppointmentCompleteInput, AppointmentConfirmInput,
        AppointmentRoomInput, AppointmentStartInput,
    },
    mutation::appointment_payload,
};
use crate::{
    context::change,
    error::ApiError,
    ids,
    payload::{Done, UserError},
};

/// The way of a visit through the clinic.
#[derive(Default)]
pub(crate) struct VisitStepMutation;

appointment_payload! {
    /// The confirmed appointment, or why it was not confirmed.
    AppointmentConfirmPayload;
    /// The appointment of somebody who has arrived, or why that was not noted.
    AppointmentArrivePayload;
    /// The appointment of somebody who has checked in, or why that was not noted.
    AppointmentCheckInPayload;
    /// The appointment of somebody who is in a room, or why that was not noted.
    AppointmentRoomPayload;
    /// The appointment that has begun, or why it has not.
    AppointmentStartPayload;
    /// The appointment that is over, or why it is not.
    AppointmentCompletePayload;
}

#[Object]
impl VisitStepMutation {
    /// Notes that the patient will come.
    ///
    /// Errors: NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION (with what is possible).
    async fn appointment_confirm(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The appointment.")] input: AppointmentConfirmInput,
    ) -> Result<AppointmentConfirmPayload, ApiError> {
        let (id, version, to) = (ids::parse(&input.id)?, input.if_version, AppointmentStatus::Confirmed);
        let advance = async |op: &_| scheduling::advance(op, id, version, to).await;
        Ok(change(ctx, "Mutation.appointmentConfirm", advance).await?.into())
    }

    /// Notes that the patient is at the clinic.
    ///
    /// Errors: NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION (with what is possible).
    async fn appointment_arrive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The appointment.")] input: AppointmentArriveInput,
    ) -> Result<AppointmentArrivePayload, ApiError> {
        let (id, version, to) = (ids::parse(&input.id)?, input.if_version, AppointmentStatus::Arrived);
        let advance = async |op: &_| scheduling::advance(op, id, version, to).await;
        Ok(change(ctx, "Mutation.appointmentArrive", advance).await?.into())
    }

    /// Notes that the patient has checked in at the desk.
    ///
    /// Errors: NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION (with what is possible).
    async fn appointment_check_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The appointment.")] input: AppointmentCheckInInput,
    ) -> Result<AppointmentCheckInPayload, ApiError> {
        let (id, version, to) = (ids::parse(&input.id)?, input.if_version, AppointmentStatus::CheckedIn);
        let advance = async |op: &_| scheduling::advance(op, id, version, to).await;
        Ok(change(ctx, "Mutation.appointmentCheckIn", advance).await?.into())
    }

    /// Notes that the patient was shown to a room.
    ///
    /// Errors: NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION (with what is possible).
    async fn appointment_room(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The appointment.")] input: AppointmentRoomInput,
    ) -> Result<AppointmentRoomPayload, ApiError> {
        let (id, version, to) = (ids::parse(&input.id)?, input.if_version, AppointmentStatus::InRoom);
        let advance = async |op: &_| scheduling::advance(op, id, version, to).await;
        Ok(change(ctx, "Mutation.appointmentRoom", advance).await?.into())
    }

    /// Notes that the visit has begun.
    ///
    /// Errors: NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION (with what is possible).
    async fn appointment_start(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The appointment.")] input: AppointmentStartInput,
    ) -> Result<AppointmentStartPayload, ApiError> {
        let (id, version, to) = (ids::parse(&input.id)?, input.if_version, AppointmentStatus::InProgress);
        let advance = async |op: &_| scheduling::advance(op, id, version, to).await;
        Ok(change(ctx, "Mutation.appointmentStart", advance).await?.into())
    }

    /// Notes that the visit took place.
    ///
    /// Errors: NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION (with what is possible).
    async fn appointment_complete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The appointment.")] input: AppointmentCompleteInput,
    ) -> Result<AppointmentCompletePayload, ApiError> {
        let (id, version, to) = (ids::parse(&input.id)?, input.if_version, AppointmentStatus::Completed);
        let advance = async |op: &_| scheduling::advance(op, id, version, to).await;
        Ok(change(ctx, "Mutation.appointmentComplete", advance).await?.into())
    }
}
