//! What is asked about observations.

use async_graphql::InputObject;
use praxis_domain::charting;

use super::types::{ObservationCategory, ObservationStatus};
use crate::{
    error::ApiError,
    patients::{DateTimeFilter, ExactFilter},
};

/// Which observations; all that is given must hold.
#[derive(InputObject, Debug, Clone, Default)]
pub(crate) struct ObservationFilter {
    /// Of one of these kinds.
    category: Option<Vec<ObservationCategory>>,
    /// As final as one of these.
    status: Option<Vec<ObservationStatus>>,
    /// What was measured, also as a part, as `system|code`, for example `http://loinc.org|8480-6`.
    code: Option<ExactFilter>,
    /// When it was true.
    effective_at: Option<DateTimeFilter>,
}

impl TryFrom<ObservationFilter> for charting::ObservationFilter {
    type Error = ApiError;

    fn try_from(filter: ObservationFilter) -> Result<Self, ApiError> {
        Ok(Self {
            category: filter.category.map(|all| all.into_iter().map(Into::into).collect()),
            status: filter.status.map(|all| all.into_iter().map(Into::into).collect()),
            code: filter.code.and_then(ExactFilter::values),
            effective_at: filter.effective_at.unwrap_or_default().into(),
        })
    }
}
