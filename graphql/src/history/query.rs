//! Finding conditions.

use async_graphql::{Context, ID, Object};

use super::Condition;
use crate::{context::Ask, error::Nullable, ids};

/// Finding conditions.
#[derive(Default)]
pub(crate) struct ConditionQuery;

#[Object]
impl ConditionQuery {
    /// One condition.
    async fn condition(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Id of the condition.")] id: ID,
    ) -> Nullable<Condition> {
        async {
            ctx.read("Query.condition")?;
            Ok(ctx.caller()?.loaders().conditions.load(ids::parse(&id)?).await?.map(Condition::new))
        }
        .await
        .transpose()
    }
}
