//! Finding observations.

use async_graphql::{Context, ID, Object};

use super::Observation;
use crate::{context::Ask, error::Nullable, ids};

/// Finding observations.
#[derive(Default)]
pub(crate) struct ObservationQuery;

#[Object]
impl ObservationQuery {
    /// One observation.
    async fn observation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Id of the observation.")] id: ID,
    ) -> Nullable<Observation> {
        async {
            ctx.read("Query.observation")?;
            Ok(ctx.caller()?.loaders().observations.load(ids::parse(&id)?).await?.map(Observation::new))
        }
        .await
        .transpose()
    }
}
