//! Declaring, ending and reviewing.

use async_graphql::{Context, Object, SimpleObject};
use praxis_domain::break_glass as rules;
use praxis_entity::break_glass;

use super::{
    inputs::{BreakGlassDeclareInput, BreakGlassEndInput, BreakGlassReviewInput},
    types::BreakGlass,
};
use crate::{
    context::change,
    error::ApiError,
    ids,
    payload::{Done, UserError},
};

/// Declaring, ending and reviewing.
#[derive(Default)]
pub(crate) struct BreakGlassMutation;

macro_rules! break_glass_payload {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(SimpleObject)]
            pub(crate) struct $name {
                /// The declaration as it is now.
                break_glass: Option<BreakGlass>,
                /// What the person at the screen can put right; non-empty means nothing was written.
                user_errors: Vec<UserError>,
            }

            impl From<Done<break_glass::Model>> for $name {
                fn from(done: Done<break_glass::Model>) -> Self {
                    let (row, user_errors) = done.split();
                    Self { break_glass: row.map(BreakGlass::new), user_errors }
                }
            }
        )*
    };
}

break_glass_payload! {
    /// The declaration, or why there is none.
    BreakGlassDeclarePayload;
    /// The ended declaration, or why nothing changed.
    BreakGlassEndPayload;
    /// The reviewed declaration, or why nothing changed.
    BreakGlassReviewPayload;
}

#[Object]
impl BreakGlassMutation {
    /// Opens classes of one patient's record to the viewer in an emergency, to read, for a while. The
    /// reviewers are told at once, every reading is marked, and somebody else reviews it within 72 hours.
    ///
    /// Needs a second factor shown within the last minutes (STEP_UP_REQUIRED otherwise). Errors: REQUIRED, INVALID, TOO_LONG, OUT_OF_RANGE, NOT_FOUND, ALREADY_EXISTS (open already: there is no renewal), REVIEW_OVERDUE.
    async fn break_glass_declare(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The emergency.")] input: BreakGlassDeclareInput,
    ) -> Result<BreakGlassDeclarePayload, ApiError> {
        let new = input.try_into()?;
        let declare = async |op: &_| rules::declare(op, new).await;
        Ok(change(ctx, "Mutation.breakGlassDeclare", declare).await?.into())
    }

    /// Ends emergency access before its time: one's own, or any for those who review.
    ///
    /// Errors: NOT_FOUND, INVALID_TRANSITION.
    async fn break_glass_end(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The declaration.")] input: BreakGlassEndInput,
    ) -> Result<BreakGlassEndPayload, ApiError> {
        let id = ids::parse(&input.id)?;
        let end = async |op: &_| rules::end(op, id).await;
        Ok(change(ctx, "Mutation.breakGlassEnd", end).await?.into())
    }

    /// Closes the review of another person's emergency access.
    ///
    /// Needs a second factor shown within the last minutes (STEP_UP_REQUIRED otherwise). Errors: REQUIRED, INVALID, TOO_LONG, NOT_FOUND, INVALID_TRANSITION, LOCKED (nobody reviews their own).
    async fn break_glass_review(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The review.")] input: BreakGlassReviewInput,
    ) -> Result<BreakGlassReviewPayload, ApiError> {
        let id = ids::parse(&input.id)?;
        let review = async |op: &_| rules::review(op, id, input.outcome.into(), &input.comment).await;
        Ok(change(ctx, "Mutation.breakGlassReview", review).await?.into())
    }
}
