//! What is asked for.

use async_graphql::{Enum, ID, InputObject};
use praxis_domain::break_glass::{self as rules, BreakGlassFilter, DeclareBreakGlass};

use super::types::{BreakGlassCategory, BreakGlassClass, BreakGlassStatus};
use crate::{error::ApiError, ids};

/// An emergency.
#[derive(InputObject)]
pub(crate) struct BreakGlassDeclareInput {
    /// Whose record is needed.
    patient_id: ID,
    /// What kind of emergency.
    category: BreakGlassCategory,
    /// Why, in 20 characters or more. It is kept for the review.
    reason: String,
    /// Which classes of the record are needed.
    classes: Vec<BreakGlassClass>,
    /// For how many minutes, 1 to 240.
    #[graphql(default = 60)]
    minutes: i32,
}

impl TryFrom<BreakGlassDeclareInput> for DeclareBreakGlass {
    type Error = ApiError;

    fn try_from(input: BreakGlassDeclareInput) -> Result<Self, ApiError> {
        Ok(Self {
            patient: ids::parse(&input.patient_id)?,
            category: input.category.into(),
            reason: input.reason,
            classes: input.classes.into_iter().map(BreakGlassClass::code).collect(),
            minutes: u32::try_from(input.minutes).unwrap_or_default(),
        })
    }
}

/// An emergency that is over.
#[derive(InputObject)]
pub(crate) struct BreakGlassEndInput {
    /// The declaration.
    pub(crate) id: ID,
}

/// What a review came to.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BreakGlassOutcome {
    /// The access was right.
    Justified,
    /// It was not.
    Unjustified,
}

impl From<BreakGlassOutcome> for rules::Verdict {
    fn from(outcome: BreakGlassOutcome) -> Self {
        match outcome {
            BreakGlassOutcome::Justified => Self::Justified,
            BreakGlassOutcome::Unjustified => Self::Unjustified,
        }
    }
}

/// The review of an emergency.
#[derive(InputObject)]
pub(crate) struct BreakGlassReviewInput {
    /// The declaration.
    pub(crate) id: ID,
    /// What the review came to.
    pub(crate) outcome: BreakGlassOutcome,
    /// What it found, in words.
    pub(crate) comment: String,
}

/// Which declarations are wanted; all conditions have to hold.
#[derive(InputObject, Debug, Clone, Default)]
pub(crate) struct BreakGlassesFilter {
    /// Where they stand.
    status: Option<BreakGlassStatus>,
    /// Reviewed, or waiting for it.
    reviewed: Option<bool>,
    /// With a late review, or without one.
    overdue: Option<bool>,
    /// Declared by this user.
    user_id: Option<ID>,
    /// Of this patient.
    patient_id: Option<ID>,
}

impl TryFrom<BreakGlassesFilter> for BreakGlassFilter {
    type Error = ApiError;

    fn try_from(filter: BreakGlassesFilter) -> Result<Self, ApiError> {
        Ok(Self {
            status: filter.status.map(Into::into),
            reviewed: filter.reviewed,
            overdue: filter.overdue,
            user: filter.user_id.as_ref().map(ids::parse).transpose()?,
            patient: filter.patient_id.as_ref().map(ids::parse).transpose()?,
        })
    }
}
