//! Finding encounters.

use async_graphql::{Context, ID, Object};

use super::Encounter;
use crate::{context::Ask, error::Nullable, ids};

/// Finding encounters.
#[derive(Default)]
pub(crate) struct EncounterQuery;

#[Object]
impl EncounterQuery {
    /// One encounter.
    async fn encounter(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Id of the encounter.")] id: ID,
    ) -> Nullable<Encounter> {
        async {
            ctx.read("Query.encounter")?;
            Ok(ctx.caller()?.loaders().encounters.load(ids::parse(&id)?).await?.map(Encounter::new))
        }
        .await
        .transpose()
    }
}
