//! Finding alerts.

use async_graphql::{Context, ID, InputObject, Object};
use praxis_domain::{StatusSet, alerts};

use super::{
    Alert, AlertSeverity,
    types::{AlertConnection, ClinicalAlertStatus},
};
use crate::{
    context::Ask,
    error::{ApiError, Nullable},
    ids,
    page::{Count, Cursors, PageArguments},
    patients::IdFilter,
};

/// Which alerts. What is given side by side must all hold.
#[derive(InputObject, Debug, Clone, Default)]
pub(crate) struct AlertFilter {
    /// In one of these statuses.
    status: Option<Vec<ClinicalAlertStatus>>,
    /// This grave.
    severity: Option<Vec<AlertSeverity>>,
    /// Of these patients.
    patient: Option<IdFilter>,
    /// Of these visits.
    encounter: Option<IdFilter>,
}

impl TryFrom<AlertFilter> for alerts::AlertFilter {
    type Error = ApiError;

    fn try_from(filter: AlertFilter) -> Result<Self, ApiError> {
        let all = |statuses: Vec<ClinicalAlertStatus>| statuses.into_iter().map(Into::into).collect();
        let grave = |list: Vec<AlertSeverity>| list.into_iter().map(Into::into).collect();
        Ok(Self {
            status: StatusSet { eq_any: filter.status.map(all), not_any: None },
            severity: filter.severity.map(grave),
            patient: filter.patient.map(IdFilter::ids).transpose()?.flatten(),
            encounter: filter.encounter.map(IdFilter::ids).transpose()?.flatten(),
        })
    }
}

/// Finding alerts.
#[derive(Default)]
pub(crate) struct ClinicalAlertQuery;

#[Object]
impl ClinicalAlertQuery {
    /// One alert.
    async fn alert(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Id of the alert.")] id: ID,
    ) -> Nullable<Alert> {
        async {
            ctx.read("Query.alert")?;
            Ok(ctx.caller()?.loaders().alerts.load(ids::parse(&id)?).await?.map(Alert::new))
        }
        .await
        .transpose()
    }

    /// Alerts that the viewer may see, the newest first.
    async fn alerts(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Rows from the beginning, 25 when neither first nor last is given, 100 at the most."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 100 at the most.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which alerts.")] filter: Option<AlertFilter>,
    ) -> Result<AlertConnection, ApiError> {
        let op = ctx.read("Query.alerts")?;
        let filter: alerts::AlertFilter = filter.unwrap_or_default().try_into()?;
        let cursors = Cursors::of(ctx.caller()?, "Query.alerts", &format!("{filter:?}")).await?;
        let page = cursors.request(&PageArguments { first, after, last, before })?;
        let slice = alerts::list(op, &filter, &page).await?;
        let op = op.clone();
        let count: Count = Box::new(move |max| {
            let (op, filter) = (op.clone(), filter.clone());
            Box::pin(async move { Ok(alerts::count(&op, &filter, max).await?) })
        });
        Ok(AlertConnection::of_slice(slice, cursors, count))
    }
}
