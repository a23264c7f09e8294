//! Booking, moving and calling off visits.

use async_graphql::{Context, Object, SimpleObject};
use praxis_domain::scheduling;
use praxis_entity::appointment;

use super::{
    Appointment,
    inputs::{
        AppointmentBookInput, AppointmentCancelInput, AppointmentEnterInErrorInput,
        AppointmentHoldConfirmInput, AppointmentHoldInput, AppointmentMarkNoShowInput,
        AppointmentRescheduleInput, AppointmentUndoNoShowInput,
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
pub(super) use appointment_payload;

appointment_payload! {
    /// The booked appointment, or why it was not booked.
    AppointmentBookPayload;
    /// The moved appointment, or why it was not moved.
    AppointmentReschedulePayload;
    /// The cancelled appointment, or why it was not cancelled.
    AppointmentCancelPayload;
    /// The missed appointment, or why it was not marked.
    AppointmentMarkNoShowPayload;
    /// The appointment that is held, or why it is not.
    AppointmentHoldPayload;
    /// The booked appointment, or why the hold was not taken up.
    AppointmentHoldConfirmPayload;
    /// The appointment that is booked again, or why it is not.
    AppointmentUndoNoShowPayload;
    /// The struck appointment, or why it was not struck.
    AppointmentEnterInErrorPayload;
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

    /// Holds a slot for some minutes, for somebody who has yet to say yes. A hold that runs out is in nobody's way.
    ///
    /// Needs an idempotency key. Errors: those of appointmentBook, OUT_OF_RANGE when it is too soon for its kind.
    async fn appointment_hold(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The visit, and for how long it is held.")] input: AppointmentHoldInput,
    ) -> Result<AppointmentHoldPayload, ApiError> {
        let (visit, minutes) = (input.visit.try_into()?, u32::try_from(input.hold_minutes).unwrap_or(0));
        let hold = async |op: &_| scheduling::hold(op, visit, minutes).await;
        Ok(change(ctx, "Mutation.appointmentHold", hold).await?.into())
    }

    /// Books what was held. Letting go of it is appointmentCancel.
    ///
    /// Errors: NOT_FOUND, LOCKED (the hold has run out), VERSION_CONFLICT, INVALID_TRANSITION.
    async fn appointment_hold_confirm(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The appointment.")] input: AppointmentHoldConfirmInput,
    ) -> Result<AppointmentHoldConfirmPayload, ApiError> {
        let id = ids::parse(&input.id)?;
        let confirm = async |op: &_| scheduling::confirm_hold(op, id, input.if_version).await;
        Ok(change(ctx, "Mutation.appointmentHoldConfirm", confirm).await?.into())
    }

    /// Takes back that the patient did not come. Possible on the same day, while the time is still free.
    ///
    /// Errors: NOT_FOUND, OUT_OF_RANGE, VERSION_CONFLICT, INVALID_TRANSITION, SCHEDULING_CONFLICT.
    async fn appointment_undo_no_show(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The appointment.")] input: AppointmentUndoNoShowInput,
    ) -> Result<AppointmentUndoNoShowPayload, ApiError> {
        let id = ids::parse(&input.id)?;
        let undo = async |op: &_| scheduling::undo_no_show(op, id, input.if_version).await;
        Ok(change(ctx, "Mutation.appointmentUndoNoShow", undo).await?.into())
    }

    /// Strikes an appointment that should never have been booked. It stays on record, and its time is free.
    ///
    /// Errors: NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn appointment_enter_in_error(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The appointment.")] input: AppointmentEnterInErrorInput,
    ) -> Result<AppointmentEnterInErrorPayload, ApiError> {
        let id = ids::parse(&input.id)?;
        let strike = async |op: &_| scheduling::enter_in_error(op, id, input.if_version).await;
        Ok(change(ctx, "Mutation.appointmentEnterInError", strike).await?.into())
    }
}
