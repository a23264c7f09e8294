//! Finding declarations.

use async_graphql::{Context, ID, Object};
use praxis_domain::break_glass::{self, BreakGlassFilter};

use super::{
    inputs::BreakGlassesFilter,
    types::{BreakGlass, BreakGlassConnection},
};
use crate::{
    context::Ask,
    error::{ApiError, Nullable},
    ids,
    page::{Count, Cursors, Page, PageArguments},
};

/// Finding declarations.
#[derive(Default)]
pub(crate) struct BreakGlassQuery;

#[Object]
impl BreakGlassQuery {
    /// One declaration of emergency access; null when there is none or the viewer may not know of it.
    async fn break_glass(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Id of the declaration.")] id: ID,
    ) -> Nullable<BreakGlass> {
        async {
            let op = ctx.read("Query.breakGlass")?;
            Ok(break_glass::by_ids(op, &[ids::parse(&id)?]).await?.pop().map(BreakGlass::new))
        }
        .await
        .transpose()
    }

    /// Declarations of emergency access, newest first: all of them for those who review, one's own for
    /// those who may only declare.
    async fn break_glasses(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Rows from the beginning, 25 when neither first nor last is given, 100 at the most."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 100 at the most.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which declarations.")] filter: Option<BreakGlassesFilter>,
    ) -> Result<BreakGlassConnection, ApiError> {
        let op = ctx.read("Query.breakGlasses")?;
        let filter: BreakGlassFilter = filter.unwrap_or_default().try_into()?;
        let cursors = Cursors::of(ctx.caller()?, "Query.breakGlasses", &format!("{filter:?}")).await?;
        let page = cursors.request(&PageArguments { first, after, last, before })?;
        let slice = break_glass::list(op, &filter, &page).await?;
        let op = op.clone();
        let count: Count = Box::new(move |max| {
            let (op, filter) = (op.clone(), filter.clone());
            Box::pin(async move { Ok(break_glass::count(&op, &filter, max).await?) })
        });
        Ok(BreakGlassConnection::new(Page::new(slice, cursors, BreakGlass::position, BreakGlass::new), count))
    }
}
