//! Recording what patients allow and forbid.

use async_graphql::{Context, ID, InputObject, Object, OneofObject, SimpleObject};
use praxis_domain::consent;

use super::{
    Consent,
    types::{ConsentClass, ConsentDecision},
};
use crate::{
    context::change,
    error::{ApiError, Code},
    ids,
    payload::UserError,
    scalar::DateTime,
};

/// Recording what patients allow and forbid.
#[derive(Default)]
pub(crate) struct ConsentMutation;

/// Whom a directive speaks of.
#[derive(OneofObject, Debug, Clone)]
pub(crate) enum ConsentWhomInput {
    /// Anyone; has to be true.
    Anyone(bool),
    /// Whoever acts for this branch.
    FacilityId(ID),
    /// Whoever holds the role with this code.
    Role(String),
    /// This person.
    UserId(ID),
}

/// A directive to be recorded.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct ConsentRecordInput {
    /// Whose.
    patient_id: ID,
    /// Allows or forbids.
    decision: ConsentDecision,
    /// Which part of the record.
    class: ConsentClass,
    /// Whom it speaks of.
    whom: ConsentWhomInput,
    /// From when on; now when absent.
    starts_at: Option<DateTime>,
    /// Until when; open when absent.
    ends_at: Option<DateTime>,
}

/// The new directive, or why there is none.
#[derive(SimpleObject)]
pub(crate) struct ConsentRecordPayload {
    /// The new directive.
    consent: Option<Consent>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// A directive to be taken back.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct ConsentRevokeInput {
    /// The directive.
    id: ID,
    /// The version that was read.
    if_version: i32,
}

/// The directive that was taken back, or why nothing changed.
#[derive(SimpleObject)]
pub(crate) struct ConsentRevokePayload {
    /// The directive that was taken back.
    consent: Option<Consent>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

#[Object]
impl ConsentMutation {
    /// Records what a patient allows or forbids. It holds from the next request on, for everybody.
    ///
    /// Errors: NOT_FOUND, OUT_OF_RANGE.
    async fn consent_record(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The directive.")] input: ConsentRecordInput,
    ) -> Result<ConsentRecordPayload, ApiError> {
        let new = consent::RecordConsent {
            patient: ids::parse(&input.patient_id)?,
            decision: input.decision.into(),
            class: input.class.into(),
            whom: match input.whom {
                ConsentWhomInput::Anyone(true) => consent::Whom::Anyone,
                ConsentWhomInput::Anyone(false) => {
                    return Err(ApiError::new(Code::BadUserInput, "anyone has to be true."));
                }
                ConsentWhomInput::FacilityId(id) => consent::Whom::Facility(ids::parse(&id)?),
                ConsentWhomInput::Role(code) => consent::Whom::Role(code),
                ConsentWhomInput::UserId(id) => consent::Whom::User(ids::parse(&id)?),
            },
            starts_at: input.starts_at.map(|at| at.0),
            ends_at: input.ends_at.map(|at| at.0),
        };
        let done = change(ctx, "Mutation.consentRecord", async |op| consent::record(op, new).await);
        let (row, user_errors) = done.await?.split();
        Ok(ConsentRecordPayload { consent: row.map(Consent::new), user_errors })
    }

    /// Takes a directive back. The record that it was given stays.
    ///
    /// Errors: NOT_FOUND, VERSION_CONFLICT, INVALID_TRANSITION.
    async fn consent_revoke(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The directive.")] input: ConsentRevokeInput,
    ) -> Result<ConsentRevokePayload, ApiError> {
        let (id, version) = (ids::parse(&input.id)?, input.if_version);
        let done = change(ctx, "Mutation.consentRevoke", async |op| consent::revoke(op, id, version).await);
        let (row, user_errors) = done.await?.split();
        Ok(ConsentRevokePayload { consent: row.map(Consent::new), user_errors })
    }
}
