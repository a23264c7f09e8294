//! Finding clinicians.

use async_graphql::{Context, ID, Object};
use praxis_domain::staff;

use super::types::{Practitioner, PractitionerConnection};
use crate::{
    context::Ask,
    error::{ApiError, Nullable},
    ids,
    page::{Count, Cursors, Page, PageArguments},
};

/// Finding clinicians.
#[derive(Default)]
pub(crate) struct StaffQuery;

#[Object]
impl StaffQuery {
    /// One clinician.
    async fn practitioner(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Id of the clinician.")] id: ID,
    ) -> Nullable<Practitioner> {
        async {
            ctx.read("Query.practitioner")?;
            Ok(ctx.caller()?.loaders().practitioners.load(ids::parse(&id)?).await?.map(Practitioner::new))
        }
        .await
        .transpose()
    }

    /// Clinicians of the clinic.
    async fn practitioners(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Rows from the beginning, 25 when neither first nor last is given, 100 at the most."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 100 at the most.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Part of the name, whatever its case and accents.")] search: Option<String>,
        #[graphql(desc = "Only those with whom patients can, or can't, be booked.")] bookable: Option<bool>,
        #[graphql(desc = "Only those who are, or are no longer, at the clinic.")] active: Option<bool>,
    ) -> Result<PractitionerConnection, ApiError> {
        let op = ctx.read("Query.practitioners")?;
        // Postgres holds no NUL, so no name has one.
        let search = search.map(|text| text.replace('\0', ""));
        let filter = staff::PractitionerFilter { active, bookable, search };
        let cursors = Cursors::of(ctx.caller()?, "Query.practitioners", &format!("{filter:?}")).await?;
        let page = cursors.request(&PageArguments { first, after, last, before })?;
        let slice = staff::practitioners(op, &filter, &page).await?;
        let op = op.clone();
        let count: Count = Box::new(move |max| {
            let (op, filter) = (op.clone(), filter.clone());
            Box::pin(async move { Ok(staff::count_practitioners(&op, &filter, max).await?) })
        });
        Ok(PractitionerConnection::new(
            Page::new(slice, cursors, Practitioner::position, Practitioner::new),
            count,
        ))
    }
}
