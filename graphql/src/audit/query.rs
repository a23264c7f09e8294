//! Reading the log.

use async_graphql::{Context, Object};
use praxis_domain::audit;

use super::{
    entry::{AuditEntry, AuditEntryConnection},
    inputs::{AuditFilter, AuditOrder},
};
use crate::{
    context::Ask,
    error::ApiError,
    page::{Cursors, Page, PageArguments},
};

/// Reading the log.
#[derive(Default)]
pub(crate) struct AuditQuery;

#[Object]
impl AuditQuery {
    /// The log of what was done, read, refused or failed; the newest entry first unless sorted otherwise.
    async fn audit_entries(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Rows from the beginning, 25 when neither first nor last is given, 100 at the most."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 100 at the most.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which entries.")] filter: Option<AuditFilter>,
        #[graphql(desc = "Order; the newest first when absent.")] order_by: Option<AuditOrder>,
    ) -> Result<AuditEntryConnection, ApiError> {
        let op = ctx.read("Query.auditEntries")?;
        let filter: audit::AuditFilter = filter.map(TryInto::try_into).transpose()?.unwrap_or_default();
        let order: audit::AuditOrder = order_by.map(Into::into).unwrap_or_default();
        let arguments = format!("{filter:?}{order:?}");
        let cursors = Cursors::of(ctx.caller()?, "Query.auditEntries", &arguments).await?;
        let page = cursors.request(&PageArguments { first, after, last, before })?;
        let slice = audit::entries(op, &filter, order, &page).await?;
        let counting = op.clone();
        let count = move |max: u64| -> futures::future::BoxFuture<'static, Result<i64, ApiError>> {
            let (op, filter) = (counting.clone(), filter.clone());
            Box::pin(async move { Ok(audit::count(&op, &filter, max).await?) })
        };
        let page = Page::new(slice, cursors, AuditEntry::position, AuditEntry::new);
        Ok(AuditEntryConnection::new(page, Box::new(count)))
    }
}
