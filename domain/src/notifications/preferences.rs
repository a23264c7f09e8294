//! Of what somebody wants to be told, and by which channel.

use praxis_entity::{
    notification::{Channel, Topic},
    notification_preference::{ActiveModel, Column, Entity},
};
use praxis_platform::{Failure, Op, Write, audit::Entry};
use sea_orm::{
    ActiveEnum, ActiveValue::Set, ColumnTrait, EntityTrait, Iterable, QueryFilter, sea_query::OnConflict,
};
use serde::{Deserialize, Serialize};

use super::recipient::{Kind, by_default, channels};
use crate::{Result, Violation, ViolationCode};

/// Whether somebody is told of a topic by a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preference {
    /// Of what.
    pub topic: Topic,
    /// By which way.
    pub channel: Channel,
    /// Whether they are.
    pub enabled: bool,
}

/// Sets whether the actor is told of a topic by a channel.
pub async fn set_preference(op: &Op<Write>, new: Preference) -> Result<Preference> {
    let user = op.actor().user.ok_or(Failure::Unauthenticated)?;
    if !channels(Kind::User).contains(&new.channel) {
        let message = "Staff are told in the app, by mail and by push.";
        return Err(Violation::at(ViolationCode::Invalid, &["channel"], message).into());
    }
    let row = ActiveModel {
        recipient_id: Set(user.0),
        topic: Set(new.topic),
        channel: Set(new.channel),
        enabled: Set(new.enabled),
    };
    let replace = OnConflict::columns([Column::RecipientId, Column::Topic, Column::Channel])
        .update_column(Column::Enabled)
        .to_owned();
    Entity::insert(row).on_conflict(replace).exec_without_returning(op.db()).await?;
    op.record(Entry::done("notification-preference.set").because(new.topic.to_value()));
    Ok(new)
}

/// Of what the actor is told by which channel, what they did not decide included.
pub async fn own_preferences<M>(op: &Op<M>) -> Result<Vec<Preference>> {
    let Some(user) = op.actor().user else { return Ok(Vec::new()) };
    let said = Entity::find().filter(Column::RecipientId.eq(user.0)).all(op.db()).await?;
    let of = |topic: Topic, channel: Channel| {
        let said = said.iter().find(|row| row.topic == topic && row.channel == channel);
        let enabled = said.map_or_else(|| by_default(Kind::User, topic, channel), |row| row.enabled);
        Preference { topic, channel, enabled }
    };
    Ok(Topic::iter()
        .flat_map(|topic| channels(Kind::User).iter().map(move |channel| (topic, *channel)))
        .map(|(topic, channel)| of(topic, channel))
        .collect())
}
