//! What somebody wants to be told, how and when.

use async_graphql::{ID, SimpleObject};
use praxis_domain::notifications;
use praxis_entity::{channel_consent, push_device};

use super::types::{NotificationChannel, NotificationTopic};
use crate::{
    ids,
    scalar::{DateTime, LocalTime, TimeZone},
};

/// Whether somebody is told of a topic by a channel.
#[derive(SimpleObject)]
pub(crate) struct NotificationPreference {
    /// Of what.
    topic: NotificationTopic,
    /// By which way.
    channel: NotificationChannel,
    /// Whether they are.
    enabled: bool,
}

impl From<notifications::Preference> for NotificationPreference {
    fn from(preference: notifications::Preference) -> Self {
        let notifications::Preference { topic, channel, enabled } = preference;
        Self { topic: topic.into(), channel: channel.into(), enabled }
    }
}

/// How somebody is spoken to; what is null is the clinic's.
#[derive(SimpleObject)]
pub(crate) struct NotificationProfile {
    /// BCP 47.
    locale: Option<String>,
    /// Zone of their wall clock.
    time_zone: Option<TimeZone>,
    /// From when on they are left in peace, on that clock.
    quiet_from: Option<LocalTime>,
    /// Until when; not later than the beginning means the next day.
    quiet_until: Option<LocalTime>,
}

impl From<notifications::Profile> for NotificationProfile {
    fn from(profile: notifications::Profile) -> Self {
        let (from, until) = profile.quiet.unzip();
        Self {
            locale: profile.locale,
            time_zone: profile.time_zone.map(TimeZone),
            quiet_from: from.map(LocalTime),
            quiet_until: until.map(LocalTime),
        }
    }
}

/// That a patient may be written to, at the number or address they had then.
#[derive(SimpleObject)]
pub(crate) struct ChannelConsent {
    /// By which way.
    channel: NotificationChannel,
    /// When they agreed.
    given_at: DateTime,
    /// The user who recorded it.
    recorded_by: Option<ID>,
}

impl From<channel_consent::Model> for ChannelConsent {
    fn from(row: channel_consent::Model) -> Self {
        Self {
            channel: row.channel.into(),
            given_at: DateTime(row.given_at),
            recorded_by: row.recorded_by.map(ids::show),
        }
    }
}

/// A device on which the viewer is rung up.
#[derive(SimpleObject)]
pub(crate) struct PushDevice {
    /// Opaque id.
    id: ID,
    /// When it was registered.
    created_at: DateTime,
    /// What its owner calls it.
    name: String,
}

impl From<push_device::Model> for PushDevice {
    fn from(row: push_device::Model) -> Self {
        Self { id: ids::show(row.id), created_at: DateTime(row.created_at), name: row.name }
    }
}
