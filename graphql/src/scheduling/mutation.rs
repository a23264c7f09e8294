//! Booking, moving and calling off visits.

use async_graphql::{Context, Object, SimpleObject};
use praxis_domain::{Error, scheduling};
use praxis_entity::{
    appointment,
    ids::{AnyId, AppointmentId},
};
use praxis_platform::{Op, Write};

use super::{
    Appointment,
    inputs::{
        AppointmentBookInput, AppointmentCancelInput, AppointmentMarkNoShowInput, AppointmentRescheduleInput,
    },
};
use crate::{
    context::Ask,
    error::ApiError,
    idempotency, ids,
    payload::{Done, UserError, conclude},
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
        let op = ctx.write("Mutation.appointmentBook").await?;
        let text = format!("{input:?}");
        let run = scheduling::book(&op, input.try_into()?);
        let result = once(ctx, &op, "appointmentBook", &text, run).await?;
        Ok(conclude(ctx.caller()?, op, result, None).await?.into())
    }

    /// Moves a visit to another time, practitioner or room.
    ///
    /// Errors: NOT_FOUND, OUT_OF_RANGE, VERSION_CONFLICT, INVALID_TRANSITION, SCHEDULING_CONFLICT.
    async fn appointment_reschedule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The appointment and its new time.")] input: AppointmentRescheduleInput,
    ) -> Result<AppointmentReschedulePayload, ApiError> {
        let op = ctx.write("Mutation.appointmentReschedule").await?;
        let (id, version, text) = (ids::parse(&input.id)?, input.if_version, format!("{input:?}"));
        let run = scheduling::reschedule(&op, id, version, input.try_into()?);
        let result = once(ctx, &op, "appointmentReschedule", &text, run).await?;
        Ok(conclude(ctx.caller()?, op, result, Some(AnyId::AppointmentId(id))).await?.into())
    }

    /// Calls a visit off; its time is free again.
    ///
    /// Errors: NOT_FOUND, INVALID, TOO_LONG, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn appointment_cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The appointment and why.")] input: AppointmentCancelInput,
    ) -> Result<AppointmentCancelPayload, ApiError> {
        let op = ctx.write("Mutation.appointmentCancel").await?;
        let (id, version, text) = (ids::parse(&input.id)?, input.if_version, format!("{input:?}"));
        let why = scheduling::CancelReason { code: input.code, text: input.reason };
        let run = scheduling::cancel(&op, id, version, why);
        let result = once(ctx, &op, "appointmentCancel", &text, run).await?;
        Ok(conclude(ctx.caller()?, op, result, Some(AnyId::AppointmentId(id))).await?.into())
    }

    /// Marks that the patient did not come. Possible once the visit should have begun.
    ///
    /// Errors: NOT_FOUND, OUT_OF_RANGE, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn appointment_mark_no_show(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The appointment.")] input: AppointmentMarkNoShowInput,
    ) -> Result<AppointmentMarkNoShowPayload, ApiError> {
        let op = ctx.write("Mutation.appointmentMarkNoShow").await?;
        let (id, text) = (ids::parse(&input.id)?, format!("{input:?}"));
        let run = scheduling::mark_no_show(&op, id, input.if_version);
        let result = once(ctx, &op, "appointmentMarkNoShow", &text, run).await?;
        Ok(conclude(ctx.caller()?, op, result, Some(AnyId::AppointmentId(id))).await?.into())
    }
}

async fn once(
    ctx: &Context<'_>,
    op: &Op<Write>,
    operation: &'static str,
    input: &str,
    run: impl Future<Output = Result<appointment::Model, Error>>,
) -> Result<Result<appointment::Model, Error>, ApiError> {
    let recall = async |id: AppointmentId| Ok(scheduling::by_ids(op, &[id]).await?.pop());
    idempotency::once(ctx, op, operation, input, run, |row| row.id, recall).await
}
