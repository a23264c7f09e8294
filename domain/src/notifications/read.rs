//! One's own notices, and for those who look after them what became of everybody's.

use std::collections::HashMap;

use praxis_entity::{
    ids::NotificationId,
    notification::{Channel, Column, Entity, Model, NotificationStatus, Topic},
};
use praxis_platform::{Op, access::Permission, literal::Literal};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};

use super::template::{Said, Templates};
use crate::{
    PageRequest, Result, Slice,
    notifications::profile::own_profile,
    page::{self, Ordering},
};

const NEWEST_FIRST: Ordering<Column> = Ordering { column: None, id: Column::Id, descending: true };

/// A page of what the app shows to the actor, the newest first.
pub async fn own<M>(op: &Op<M>, unread: bool, page: &PageRequest) -> Result<Slice<Model>> {
    Ok(page::list::<Entity>(op.db(), of_the_actor(op, unread), &NEWEST_FIRST, page).await?)
}

/// How many there are, at most `max`.
pub async fn count_own<M>(op: &Op<M>, unread: bool, max: u64) -> Result<i64> {
    Ok(page::count::<Entity>(op.db(), of_the_actor(op, unread), max).await?)
}

fn of_the_actor<M>(op: &Op<M>, unread: bool) -> Condition {
    let own = match op.actor().user {
        Some(user) => Column::UserId.eq(user),
        // Whoever is no user has none.
        None => Column::UserId.is_null(),
    };
    Condition::all()
        .add(own)
        .add(Column::Channel.is(Channel::InApp))
        .add(Column::Status.is(NotificationStatus::Delivered))
        .add_option(unread.then(|| Column::ReadAt.is_null()))
}

/// Notices in the words of the actor's language.
pub async fn texts<M>(op: &Op<M>, notices: &[Model]) -> Result<HashMap<NotificationId, String>> {
    let profile = own_profile(op).await?;
    let templates = Templates::load(op, notices.iter().map(|notice| (notice.topic, Channel::InApp))).await?;
    let tenant = op.tenant();
    let (locale, zone) = (profile.locale.as_deref(), profile.time_zone.as_deref());
    let say = |notice: &Model| {
        let said = templates.say(&Said {
            topic: notice.topic,
            channel: Channel::InApp,
            locales: &[locale.unwrap_or(&tenant.locale), &tenant.locale],
            clinic: &tenant.display_name,
            origin: "",
            about: notice.about_at,
            zone: zone.unwrap_or(&tenant.time_zone),
        });
        (notice.id, said.map(|words| words.body).unwrap_or_default())
    };
    Ok(notices.iter().map(say).collect())
}

/// Which of everybody's notices.
#[derive(Debug, Clone, Copy, Default)]
pub struct Deliveries {
    /// Only those that stand here.
    pub status: Option<NotificationStatus>,
    /// Only those by this way.
    pub channel: Option<Channel>,
    /// Only those of this topic.
    pub topic: Option<Topic>,
}

impl Deliveries {
    fn condition(self) -> Condition {
        Condition::all()
            .add_option(self.status.map(|status| Column::Status.eq(status)))
            .add_option(self.channel.map(|channel| Column::Channel.eq(channel)))
            .add_option(self.topic.map(|topic| Column::Topic.eq(topic)))
    }
}

/// A page of everybody's notices, the newest first. They say of nobody more than that there was one.
pub async fn deliveries<M>(op: &Op<M>, which: Deliveries, page: &PageRequest) -> Result<Slice<Model>> {
    op.require(Permission::NOTIFICATION_MANAGE)?;
    Ok(page::list::<Entity>(op.db(), which.condition(), &NEWEST_FIRST, page).await?)
}

/// Notices by their ids; unknown ones are absent.
pub async fn deliveries_by_ids<M>(op: &Op<M>, ids: &[NotificationId]) -> Result<Vec<Model>> {
    op.require(Permission::NOTIFICATION_MANAGE)?;
    let wanted = page::any_of(Column::Id, ids.iter().map(|id| id.0).collect());
    Ok(Entity::find().filter(wanted).all(op.db()).await?)
}

/// How many there are, at most `max`.
pub async fn count_deliveries<M>(op: &Op<M>, which: Deliveries, max: u64) -> Result<i64> {
    op.require(Permission::NOTIFICATION_MANAGE)?;
    Ok(page::count::<Entity>(op.db(), which.condition(), max).await?)
}
