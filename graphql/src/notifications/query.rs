//! Finding notices.

use async_graphql::{Context, InputObject, Object};
use praxis_domain::notifications::{self, Deliveries};

use super::types::{
    Notification, NotificationChannel, NotificationConnection, NotificationDelivery,
    NotificationDeliveryConnection, NotificationStatus, NotificationTemplate, NotificationTopic,
};
use crate::{
    context::Ask,
    error::ApiError,
    page::{Count, Cursors, Page, PageArguments},
};

/// Which notices; all parts that are given must hold.
#[derive(InputObject, Debug, Clone, Default)]
pub(crate) struct NotificationDeliveriesFilter {
    /// Only those that stand here.
    status: Option<NotificationStatus>,
    /// Only those by this way.
    channel: Option<NotificationChannel>,
    /// Only those about this.
    topic: Option<NotificationTopic>,
}

impl From<NotificationDeliveriesFilter> for Deliveries {
    fn from(filter: NotificationDeliveriesFilter) -> Self {
        Self {
            status: filter.status.map(Into::into),
            channel: filter.channel.map(Into::into),
            topic: filter.topic.map(Into::into),
        }
    }
}

/// Finding notices.
#[derive(Default)]
pub(crate) struct NotificationQuery;

#[Object]
impl NotificationQuery {
    /// Notices to the viewer, the newest first.
    async fn notifications(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Rows from the beginning, 25 when neither first nor last is given, 100 at the most."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 100 at the most.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(default, desc = "Only those that were not read.")] unread: bool,
    ) -> Result<NotificationConnection, ApiError> {
        let op = ctx.read("Query.notifications")?;
        let user = op.actor().user;
        let cursors =
            Cursors::of(ctx.caller()?, "Query.notifications", &format!("{user:?} {unread}")).await?;
        let page = cursors.request(&PageArguments { first, after, last, before })?;
        let slice = notifications::own(op, unread, &page).await?;
        let texts = notifications::texts(op, &slice.rows).await?;
        let op = op.clone();
        let count: Count = Box::new(move |max| {
            let op = op.clone();
            Box::pin(async move { Ok(notifications::count_own(&op, unread, max).await?) })
        });
        let shown = |row: praxis_entity::notification::Model| {
            let text = texts.get(&row.id).cloned().unwrap_or_default();
            Notification::new(row, text)
        };
        Ok(NotificationConnection::new(
            Page::new(slice, cursors, NotificationDelivery::position, shown),
            count,
        ))
    }

    /// What became of everybody's notices, the newest first.
    async fn notification_deliveries(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Rows from the beginning, 25 when neither first nor last is given, 100 at the most."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only rows after this cursor.")] after: Option<String>,
        #[graphql(desc = "Rows from the end, 100 at the most.")] last: Option<i32>,
        #[graphql(desc = "Only rows before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which notices.")] filter: Option<NotificationDeliveriesFilter>,
    ) -> Result<NotificationDeliveryConnection, ApiError> {
        let op = ctx.read("Query.notificationDeliveries")?;
        let which: Deliveries = filter.unwrap_or_default().into();
        let cursors =
            Cursors::of(ctx.caller()?, "Query.notificationDeliveries", &format!("{which:?}")).await?;
        let page = cursors.request(&PageArguments { first, after, last, before })?;
        let slice = notifications::deliveries(op, which, &page).await?;
        let op = op.clone();
        let count: Count = Box::new(move |max| {
            let op = op.clone();
            Box::pin(async move { Ok(notifications::count_deliveries(&op, which, max).await?) })
        });
        let page = Page::new(slice, cursors, NotificationDelivery::position, NotificationDelivery::new);
        Ok(NotificationDeliveryConnection::new(page, count))
    }

    /// The clinic's own words that are in use. Where there are none, those that come with the software are.
    async fn notification_templates(&self, ctx: &Context<'_>) -> Result<Vec<NotificationTemplate>, ApiError> {
        let op = ctx.read("Query.notificationTemplates")?;
        Ok(notifications::templates(op).await?.into_iter().map(NotificationTemplate::new).collect())
    }
}
