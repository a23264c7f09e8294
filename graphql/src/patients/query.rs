//! Finding patients.

use async_graphql::{Context, Object};
use praxis_domain::patients;

use super::{
    Patient, PatientConnection,
    inputs::{PatientFilter, PatientLookup},
};
use crate::{
    at_once::AtOnce,
    context::Ask,
    error::{ApiError, Nullable},
    page::{Cursors, Page, PageArguments},
};

/// Finding patients.
#[derive(Default)]
pub(crate) struct PatientQuery;

#[Object]
impl PatientQuery {
    /// One patient; null when there is none or the viewer may not know of them.
    async fn patient(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How to find the patient.")] by: PatientLookup,
    ) -> Nullable<AtOnce<Patient>> {
        async {
            let op = ctx.read("Query.patient")?;
            let lookup = by.try_into()?;
            let found = match lookup {
                patients::Lookup::Id(id) => ctx.caller()?.loaders().patients.load(id).await?,
                _ => patients::find(op, &lookup).await?,
            };
            Ok(found.map(Patient::new).map(AtOnce))
        }
        .await
        .transpose()
    }

    /// Patients, or those that a search finds.
    async fn patients(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Rows from the beginning, 25 when neither first nor last is given, 100 at the most."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 100 at the most.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(
            desc = "Beginnings of names, in any order, or a whole record number, phone number, e-mail address or birth date."
        )]
        search: Option<String>,
        #[graphql(desc = "Which patients.")] filter: Option<PatientFilter>,
    ) -> Result<PatientConnection, ApiError> {
        let op = ctx.read("Query.patients")?;
        let filter: patients::PatientFilter = filter.map(TryInto::try_into).transpose()?.unwrap_or_default();
        let cursors = Cursors::of(ctx.caller()?, "Query.patients", &format!("{search:?}{filter:?}")).await?;
        let page = cursors.request(&PageArguments { first, after, last, before })?;
        let slice = patients::list(op, &filter, search.as_deref(), &page).await?;
        let counting = op.clone();
        let count = move |max: u64| -> futures::future::BoxFuture<'static, Result<i64, ApiError>> {
            let (op, filter, search) = (counting.clone(), filter.clone(), search.clone());
            Box::pin(async move { Ok(patients::count(&op, &filter, search.as_deref(), max).await?) })
        };
        let page = Page::new(slice, cursors, Patient::position, Patient::new);
        Ok(PatientConnection::new(page, Box::new(count)))
    }
}
