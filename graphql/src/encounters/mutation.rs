//! The steps of a visit.

use async_graphql::{Context, Object};
use praxis_domain::encounters;

use super::inputs::{
    EncounterCancelInput, EncounterCheckInInput, EncounterCreateInput, EncounterHoldInput,
    EncounterParticipantAddInput, EncounterParticipantEndInput, EncounterReopenInput, EncounterResumeInput,
    EncounterStartInput, EncounterTriageInput,
};
use crate::{context::change, error::ApiError, ids};

/// The steps of a visit.
#[derive(Default)]
pub(crate) struct EncounterMutation;

/// Payloads that hold the encounter.
macro_rules! encounter_payload {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(async_graphql::SimpleObject)]
            pub(crate) struct $name {
                /// The encounter as it is now.
                encounter: Option<$crate::encounters::Encounter>,
                /// What the person at the screen can put right; non-empty means nothing was written.
                user_errors: Vec<$crate::payload::UserError>,
            }

            impl From<$crate::payload::Done<praxis_entity::encounter::Model>> for $name {
                fn from(done: $crate::payload::Done<praxis_entity::encounter::Model>) -> Self {
                    let (row, user_errors) = done.split();
                    Self { encounter: row.map($crate::encounters::Encounter::new), user_errors }
                }
            }
        )*
    };
}
pub(crate) use encounter_payload;

encounter_payload! {
    /// The planned encounter, or why it was not planned.
    EncounterCreatePayload;
    /// The patient who has arrived, or why not.
    EncounterCheckInPayload;
    /// The triaged encounter, or why not.
    EncounterTriagePayload;
    /// The encounter under way, or why not.
    EncounterStartPayload;
    /// The interrupted encounter, or why not.
    EncounterHoldPayload;
    /// The encounter that goes on, or why not.
    EncounterResumePayload;
    /// The cancelled encounter, or why not.
    EncounterCancelPayload;
    /// The reopened encounter, or why not.
    EncounterReopenPayload;
    /// The encounter with one more, or why not.
    EncounterParticipantAddPayload;
    /// The encounter with one less, or why not.
    EncounterParticipantEndPayload;
}

#[Object]
impl EncounterMutation {
    /// Plans a visit, of an appointment or without one.
    ///
    /// Errors: REQUIRED, NOT_FOUND, ALREADY_EXISTS, OUT_OF_RANGE, TOO_LONG, INVALID, LOCKED.
    async fn encounter_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The visit.")] input: EncounterCreateInput,
    ) -> Result<EncounterCreatePayload, ApiError> {
        let new = input.try_into()?;
        Ok(change(ctx, "Mutation.encounterCreate", async |op| encounters::plan(op, new).await).await?.into())
    }

    /// Checks the patient in; the appointment is checked in with it.
    ///
    /// Errors: NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION, LOCKED.
    async fn encounter_check_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The encounter.")] input: EncounterCheckInInput,
    ) -> Result<EncounterCheckInPayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let step = async |op: &_| encounters::check_in(op, id, version).await;
        Ok(change(ctx, "Mutation.encounterCheckIn", step).await?.into())
    }

    /// Records that urgency was assessed.
    ///
    /// Errors: NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn encounter_triage(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The encounter.")] input: EncounterTriageInput,
    ) -> Result<EncounterTriagePayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let step = async |op: &_| encounters::triage(op, id, version).await;
        Ok(change(ctx, "Mutation.encounterTriage", step).await?.into())
    }

    /// Starts the consultation. Whoever is responsible takes part as its attending from now on.
    ///
    /// Errors: NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION, LOCKED.
    async fn encounter_start(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The encounter.")] input: EncounterStartInput,
    ) -> Result<EncounterStartPayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let step = async |op: &_| encounters::start(op, id, version).await;
        Ok(change(ctx, "Mutation.encounterStart", step).await?.into())
    }

    /// Interrupts the consultation.
    ///
    /// Errors: REQUIRED, TOO_LONG, INVALID, NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn encounter_hold(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The encounter, and why.")] input: EncounterHoldInput,
    ) -> Result<EncounterHoldPayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let step = async |op: &_| encounters::hold(op, id, version, input.reason.as_deref()).await;
        Ok(change(ctx, "Mutation.encounterHold", step).await?.into())
    }

    /// Goes on with an interrupted consultation.
    ///
    /// Errors: NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn encounter_resume(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The encounter.")] input: EncounterResumeInput,
    ) -> Result<EncounterResumePayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let step = async |op: &_| encounters::resume(op, id, version).await;
        Ok(change(ctx, "Mutation.encounterResume", step).await?.into())
    }

    /// Records that the visit does not take place.
    ///
    /// Errors: REQUIRED, TOO_LONG, INVALID, NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn encounter_cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The encounter, and why.")] input: EncounterCancelInput,
    ) -> Result<EncounterCancelPayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let step = async |op: &_| encounters::cancel(op, id, version, &input.reason).await;
        Ok(change(ctx, "Mutation.encounterCancel", step).await?.into())
    }

    /// Opens a closed encounter again, within the days that the clinic allows.
    ///
    /// Errors: REQUIRED, TOO_LONG, INVALID, NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION, LOCKED.
    async fn encounter_reopen(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The encounter, and why.")] input: EncounterReopenInput,
    ) -> Result<EncounterReopenPayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let step = async |op: &_| encounters::reopen(op, id, version, &input.reason).await;
        Ok(change(ctx, "Mutation.encounterReopen", step).await?.into())
    }

    /// Adds somebody of the staff to an encounter, from now on.
    ///
    /// Errors: NOT_FOUND, ALREADY_EXISTS, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn encounter_participant_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who, and as what.")] input: EncounterParticipantAddInput,
    ) -> Result<EncounterParticipantAddPayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let (who, role) = (ids::parse(&input.practitioner_id)?, input.role.code());
        let step = async |op: &_| encounters::add_participant(op, id, version, who, role).await;
        Ok(change(ctx, "Mutation.encounterParticipantAdd", step).await?.into())
    }

    /// Ends somebody's part in an encounter.
    ///
    /// Errors: NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn encounter_participant_end(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who, and as what.")] input: EncounterParticipantEndInput,
    ) -> Result<EncounterParticipantEndPayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let (who, role) = (ids::parse(&input.practitioner_id)?, input.role.code());
        let step = async |op: &_| encounters::end_participant(op, id, version, who, role).await;
        Ok(change(ctx, "Mutation.encounterParticipantEnd", step).await?.into())
    }
}
