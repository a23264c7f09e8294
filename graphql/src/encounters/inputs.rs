//! What is asked about encounters.

use async_graphql::InputObject;
use praxis_domain::{StatusSet, encounters};
use praxis_entity::encounter;

use super::types::{EncounterClass, EncounterStatus};
use crate::{
    error::ApiError,
    patients::{DateTimeFilter, ExactFilter, too_deep},
};

/// Which statuses.
#[derive(InputObject, Debug, Clone)]
pub(crate) struct EncounterStatusFilter {
    /// This one.
    eq: Option<EncounterStatus>,
    /// One of these.
    #[graphql(name = "in")]
    any: Option<Vec<EncounterStatus>>,
    /// None of these.
    not_in: Option<Vec<EncounterStatus>>,
}

impl From<EncounterStatusFilter> for StatusSet<encounter::EncounterStatus> {
    fn from(filter: EncounterStatusFilter) -> Self {
        let all = |statuses: Vec<EncounterStatus>| statuses.into_iter().map(Into::into).collect::<Vec<_>>();
        let eq: Option<encounter::EncounterStatus> = filter.eq.map(Into::into);
        let eq_any = match (eq, filter.any.map(all)) {
            (Some(eq), Some(any)) => Some(any.into_iter().filter(|status| *status == eq).collect()),
            (Some(eq), None) => Some(vec![eq]),
            (None, any) => any,
        };
        Self { eq_any, not_any: filter.not_in.map(all) }
    }
}

/// Which encounters. What is given side by side must all hold.
#[derive(InputObject, Debug, Clone, Default)]
pub(crate) struct EncounterFilter {
    /// All of these hold.
    and: Option<Vec<EncounterFilter>>,
    /// One of these holds.
    or: Option<Vec<EncounterFilter>>,
    /// This does not hold.
    not: Option<Box<EncounterFilter>>,
    /// Where it stands.
    status: Option<EncounterStatusFilter>,
    /// In one of these settings.
    class: Option<Vec<EncounterClass>>,
    /// When it began.
    started_at: Option<DateTimeFilter>,
    /// When the record was made.
    created_at: Option<DateTimeFilter>,
    /// Type or reason, as `system|code`. Needs encounter.clinical:read.
    code: Option<ExactFilter>,
}

impl EncounterFilter {
    fn convert(self, depth: usize) -> Result<encounters::EncounterFilter, ApiError> {
        if depth == 0 {
            return Err(too_deep());
        }
        let all = |filters: Option<Vec<Self>>| {
            filters
                .unwrap_or_default()
                .into_iter()
                .map(|filter| filter.convert(depth - 1))
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(encounters::EncounterFilter {
            and: all(self.and)?,
            or: all(self.or)?,
            not: self.not.map(|filter| filter.convert(depth - 1).map(Box::new)).transpose()?,
            status: self.status.map(Into::into).unwrap_or_default(),
            class: self.class.map(|classes| classes.into_iter().map(Into::into).collect()),
            started_at: self.started_at.unwrap_or_default().into(),
            created_at: self.created_at.unwrap_or_default().into(),
            code: self.code.and_then(ExactFilter::values),
        })
    }
}

impl TryFrom<EncounterFilter> for encounters::EncounterFilter {
    type Error = ApiError;

    fn try_from(filter: EncounterFilter) -> Result<Self, ApiError> {
        filter.convert(5)
    }
}
