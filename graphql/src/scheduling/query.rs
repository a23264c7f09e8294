//! Finding appointments and free time.

use async_graphql::{Context, ID, Object};
use praxis_domain::scheduling;

use super::{Appointment, AppointmentConnection, AppointmentFilter, AppointmentOrder, types::Slot};
use crate::{
    context::Ask,
    error::{ApiError, Nullable},
    ids,
    page::{Count, Cursors, PageArguments},
    scalar::DateTime,
    staff::Practitioner,
};

/// Finding appointments and free time.
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
        Ok(AppointmentConnection::of_slice(slice, order, cursors, count))
    }

    /// Times at which a practitioner can be booked, from their availability less what is booked.
    async fn free_slots(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "With whom.")] practitioner_id: ID,
        #[graphql(desc = "Not before this.")] from: DateTime,
        #[graphql(desc = "Not after this; 60 days later at the most.")] until: DateTime,
        #[graphql(desc = "Length in minutes.", default = 30)] duration_minutes: i32,
        #[graphql(desc = "At which branch.")] facility_id: Option<ID>,
        #[graphql(desc = "The kind of visit; its buffers are kept free.")] visit_kind_id: Option<ID>,
        #[graphql(desc = "How many at the most, 1 to 100.", default = 100)] limit: i32,
    ) -> Result<Vec<Slot>, ApiError> {
        let op = ctx.read("Query.freeSlots")?;
        let wanted = scheduling::FreeSlots {
            practitioner: ids::parse(&practitioner_id)?,
            facility: facility_id.as_ref().map(ids::parse).transpose()?,
            from: from.0,
            until: until.0,
            duration_minutes: u32::try_from(duration_minutes).unwrap_or(0),
            visit_type: visit_kind_id.as_ref().map(ids::parse).transpose()?,
        };
        let slots = scheduling::free_slots(op, wanted).await?;
        let practitioner = ctx.caller()?.loaders().practitioners.load(ids::parse(&practitioner_id)?).await?;
        let limit = usize::try_from(limit.clamp(1, 100)).unwrap_or(100);
        Ok(slots
            .into_iter()
            .take(limit)
            .map(|slot| Slot {
                starts_at: DateTime(slot.starts_at),
                ends_at: DateTime(slot.ends_at),
                practitioner: practitioner.clone().map(Practitioner::new),
            })
            .collect())
    }
}
