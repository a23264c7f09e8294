//! Finding people who sign in, and invitations.

use async_graphql::{Context, ID, Object};
use praxis_domain::identity;

use super::types::{Invitation, InvitationState, User, UserConnection};
use crate::{
    context::Ask,
    error::{ApiError, Nullable},
    ids,
    page::{Count, Cursors, Page, PageArguments},
};

/// Finding people who sign in, and invitations.
#[derive(Default)]
pub(crate) struct IdentityQuery;

#[Object]
impl IdentityQuery {
    /// One person who signs in.
    async fn user(&self, ctx: &Context<'_>, #[graphql(desc = "Id of the user.")] id: ID) -> Nullable<User> {
        async {
            ctx.read("Query.user")?;
            Ok(ctx.caller()?.loaders().users.load(ids::parse(&id)?).await?.map(User::new))
        }
        .await
        .transpose()
    }

    /// People who sign in, in the order in which they joined.
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Rows from the beginning, 25 when neither first nor last is given, 100 at the most."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 100 at the most.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only those who can, or can't, sign in.")] active: Option<bool>,
    ) -> Result<UserConnection, ApiError> {
        let op = ctx.read("Query.users")?;
        let cursors = Cursors::of(ctx.caller()?, "Query.users", &format!("{active:?}")).await?;
        let page = cursors.request(&PageArguments { first, after, last, before })?;
        let slice = identity::user_page(op, active, &page).await?;
        let op = op.clone();
        let count: Count = Box::new(move |max| {
            let op = op.clone();
            Box::pin(async move { Ok(identity::count_users(&op, active, max).await?) })
        });
        Ok(UserConnection::new(Page::new(slice, cursors, User::position, User::new), count))
    }

    /// Invitations, the newest first, 200 at the most.
    async fn invitations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those that stand there.")] status: Option<InvitationState>,
    ) -> Result<Vec<Invitation>, ApiError> {
        let op = ctx.read("Query.invitations")?;
        let rows = identity::invitations(op, status.map(InvitationState::stored)).await?;
        let now = op.now();
        Ok(rows.into_iter().map(|row| Invitation::new(row, now)).collect())
    }
}
