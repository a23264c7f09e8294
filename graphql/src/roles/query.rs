//! Finding roles, and who holds them.

use async_graphql::{Context, ID, Object};
use praxis_domain::roles;
use praxis_platform::access::Permission;

use super::types::{AccessGrant, AccessGrantConnection, PermissionDescription, Role};
use crate::{
    context::Ask,
    error::{ApiError, Nullable},
    ids,
    page::{Count, Cursors, Page, PageArguments},
};

/// Finding roles, and who holds them.
#[derive(Default)]
pub(crate) struct RoleQuery;

#[Object]
impl RoleQuery {
    /// One role.
    async fn role(&self, ctx: &Context<'_>, #[graphql(desc = "Id of the role.")] id: ID) -> Nullable<Role> {
        async {
            let op = ctx.read("Query.role")?;
            Ok(roles::by_ids(op, &[ids::parse(&id)?]).await?.pop().map(Role::new))
        }
        .await
        .transpose()
    }

    /// All roles of the clinic by code, those out of use too.
    async fn roles(&self, ctx: &Context<'_>) -> Result<Vec<Role>, ApiError> {
        let op = ctx.read("Query.roles")?;
        Ok(roles::all(op).await?.into_iter().map(Role::new).collect())
    }

    /// Everything that a role can permit.
    fn permissions(&self, ctx: &Context<'_>) -> Result<Vec<PermissionDescription>, ApiError> {
        ctx.read("Query.permissions")?;
        Ok(Permission::ALL.iter().copied().map(Into::into).collect())
    }

    /// Who holds which role where, since when, and when they were last here: for the regular review of access.
    async fn access_review(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Rows from the beginning, 25 when neither first nor last is given, 100 at the most."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 100 at the most.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
    ) -> Result<AccessGrantConnection, ApiError> {
        let op = ctx.read("Query.accessReview")?;
        let cursors = Cursors::of(ctx.caller()?, "Query.accessReview", "").await?;
        let page = cursors.request(&PageArguments { first, after, last, before })?;
        let slice = roles::held(op, &page).await?;
        let op = op.clone();
        let count: Count = Box::new(move |max| {
            let op = op.clone();
            Box::pin(async move { Ok(roles::count_held(&op, max).await?) })
        });
        Ok(AccessGrantConnection::new(
            Page::new(slice, cursors, AccessGrant::position, AccessGrant::new),
            count,
        ))
    }
}
