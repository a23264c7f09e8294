//! Finding appointments.

use async_graphql::{Context, ID, Object};
use praxis_domain::scheduling;

use super::{Appointment, AppointmentConnection, AppointmentFilter, AppointmentOrder};
use crate::{
    context::Ask,
    error::{ApiError, Nullable},
    ids,
    page::{Count, Cursors, PageArguments},
};

/// Finding appointments.
#[derive(Default)]
pub(crate) struct AppointmentQuery;

#[Object]
impl AppointmentQuery {
    /// One appointment.
    async fn appointment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Id of the appointment.")] id: ID,
    ) -> Nullable<Appointment> {
        async {
            ctx.read("Query.appointment")?;
            Ok(ctx.caller()?.loaders().appointments.load(ids::parse(&id)?).await?.map(Appointment::new))
        }
        .await
        .transpose()
    }

    /// Appointments of the whole clinic.
    async fn appointments(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Rows from the beginning, 25 when neither first nor last is given, 100 at the most."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 100 at the most.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which appointments.")] filter: Option<AppointmentFilter>,
        #[graphql(desc = "Order; the earliest start first when absent. One entry at the most.")]
        order_by: Option<Vec<AppointmentOrder>>,
    ) -> Result<AppointmentConnection, ApiError> {
        let op = ctx.read("Query.appointments")?;
        let (filter, order) = (AppointmentFilter::or_all(filter)?, AppointmentOrder::one(order_by, false)?);
        let cursors =
            Cursors::of(ctx.caller()?, "Query.appointments", &format!("{filter:?}{order:?}")).await?;
        let page = cursors.request(&PageArguments { first, after, last, before })?;
        let slice = scheduling::list(op, &filter, order, &page).await?;
        let op = op.clone();
        let count: Count = Box::new(move |max| {
            let (op, filter) = (op.clone(), filter.clone());
            Box::pin(async move { Ok(scheduling::count(&op, &filter, max).await?) })
        });
        AppointmentConnection::of_slice(slice, order, cursors, count).with_practitioners(ctx).await
    }
}
