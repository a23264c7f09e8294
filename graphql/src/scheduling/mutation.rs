//! Booking, moving and calling off visits.

use async_graphql::{Context, Object, SimpleObject};
use praxis_domain::scheduling;
use praxis_entity::appointment;

use super::{
    Appointment,
    inputs::{
        AppointmentBookInput, AppointmentCancelInput, AppointmentMarkNoShowInput, AppointmentRescheduleInput,
    },
};
use crate::{
    context::change,
    error::ApiError,
    ids,
    payload::{Done, UserError},
};

/// Booking, moving and calling off visits.
#[derive(Default)]
pub(crate) struct AppointmentMutation;

macro_rules! appointment_payload {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(SimpleObject)]
            pub(crate) struct $name {
                /// The appointment as it is now.
                appointment: Option<Appointment>,
                /// What the person at the screen can put right; non-empty means nothing was written.
                user_errors: Vec<UserError>,
            }

            impl From<Done<appointment::Model>> for $name {
                fn from(done: Done<appointment::Model>) -> Self {
                    let (row, user_errors) = done.split();
                    Self { appointment: row.map(Appointment::new), user_errors }
                }
            }
        )*
    };
}

appointment_payload! {
    /// The booked appointment, or why it was not booked.
    AppointmentBookPayload;
    /// The moved appointment, or why it was not moved.
    AppointmentReschedulePayload;
    /// The cancelled appointment, or why it was not cancelled.
    AppointmentCancelPayload;
    /// The missed appointment, or why it was not marked.
    AppointmentMarkNoShowPayload;
}

#[Object]
impl AppointmentMutation {
    /// Books a visit. Two that overlap for one practitioner or room are never both booked.
    ///
    /// Needs an idempotency key. Errors: NOT_FOUND, OUT_OF_RANGE, TOO_LONG, LOCKED, SCHEDULING_CONFLICT (with the next free slots).
    async fn appointment_book(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The visit.")] input: AppointmentBookInput,
    ) -> Result<AppointmentBookPayload, ApiError> {
        let visit = input.try_into()?;
        let done = change(ctx, "Mutation.appointmentBook", async |op| scheduling::book(op, visit).await);
        Ok(done.await?.into())
    }

    /// Moves a visit to another time, practitioner or room.
    ///
    /// Errors: NOT_FOUND, OUT_OF_RANGE, VERSION_CONFLICT, INVALID_TRANSITION, SCHEDULING_CONFLICT.
    async fn appointment_reschedule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The appointment and its new time.")] input: AppointmentRescheduleInput,
    ) -> Result<AppointmentReschedulePayload, ApiError> {
        let (id, version, to) = (ids::parse(&input.id)?, input.if_version, input.try_into()?);
        let reschedule = async |op: &_| scheduling::reschedule(op, id, version, to).await;
        Ok(change(ctx, "Mutation.appointmentReschedule", reschedule).await?.into())
    }

    /// Calls a visit off; its time is free again.
    ///
    /// Errors: NOT_FOUND, INVALID, TOO_LONG, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn appointment_cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The appointment and why.")] input: AppointmentCancelInput,
    ) -> Result<AppointmentCancelPayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let why = scheduling::CancelReason { code: input.code, text: input.reason };
        let cancel = async |op: &_| scheduling::cancel(op, id, version, why).await;
        Ok(change(ctx, "Mutation.appointmentCancel", cancel).await?.into())
    }

    /// Marks that the patient did not come. Possible once the visit should have begun.
    ///
    /// Errors: NOT_FOUND, OUT_OF_RANGE, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn appointment_mark_no_show(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The appointment.")] input: AppointmentMarkNoShowInput,
    ) -> Result<AppointmentMarkNoShowPayload, ApiError> {
        let id = ids::parse(&input.id)?;
        let mark = async |op: &_| scheduling::mark_no_show(op, id, input.if_version).await;
        Ok(change(ctx, "Mutation.appointmentMarkNoShow", mark).await?.into())
    }
}
