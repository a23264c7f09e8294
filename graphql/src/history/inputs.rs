//! What is asked about conditions.

use async_graphql::InputObject;
use praxis_domain::history;

use super::types::{ClinicalStatus, ConditionCategory, VerificationStatus};
use crate::{
    error::ApiError,
    patients::{DateTimeFilter, ExactFilter},
};

/// Which conditions; all that is given must hold.
#[derive(InputObject, Debug, Clone, Default)]
pub(crate) struct ConditionFilter {
    /// Of one of these categories.
    category: Option<Vec<ConditionCategory>>,
    /// As present as one of these.
    clinical_status: Option<Vec<ClinicalStatus>>,
    /// As sure as one of these.
    verification_status: Option<Vec<VerificationStatus>>,
    /// What it is, as `system|code`, for example `http://snomed.info/sct|38341003`.
    code: Option<ExactFilter>,
    /// When it was recorded.
    recorded_at: Option<DateTimeFilter>,
}

impl TryFrom<ConditionFilter> for history::ConditionFilter {
    type Error = ApiError;

    fn try_from(filter: ConditionFilter) -> Result<Self, ApiError> {
        Ok(Self {
            category: filter.category.map(|all| all.into_iter().map(Into::into).collect()),
            clinical_status: filter.clinical_status.map(|all| all.into_iter().map(Into::into).collect()),
            verification_status: filter
                .verification_status
                .map(|all| all.into_iter().map(Into::into).collect()),
            code: filter.code.and_then(ExactFilter::values),
            recorded_at: filter.recorded_at.unwrap_or_default().into(),
        })
    }
}
