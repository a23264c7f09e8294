//! Asking for numbers.

use async_graphql::{Context, ID, Object};
use praxis_domain::statistics;

use super::types::{AppointmentMonth, AppointmentStatistics};
use crate::{context::Ask, error::ApiError, ids};

/// Asking for numbers.
#[derive(Default)]
pub(crate) struct StatisticsQuery;

#[Object]
impl StatisticsQuery {
    /// How many appointments there are in each month of a year, by status. `BAD_USER_INPUT` for a year before 1900 or
    /// after 2199 and for a branch that does not exist.
    async fn appointment_statistics(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The year in which they begin, by the clock of their branch.")] year: i32,
        #[graphql(desc = "At this branch only; all that the caller may know of when absent.")]
        facility_id: Option<ID>,
    ) -> Result<AppointmentStatistics, ApiError> {
        let op = ctx.read("Query.appointmentStatistics")?;
        let facility = facility_id.map(|id| ids::parse(&id)).transpose()?;
        let months = statistics::appointments(op, year, facility).await?;
        let months = (1..).zip(months).map(|(number, numbers)| AppointmentMonth::new(year, number, numbers));
        Ok(AppointmentStatistics { year, months: months.collect() })
    }
}
