//! Who is told: what they want by default, and how they are spoken to.

use std::collections::HashMap;

use chrono_tz::Tz;
use praxis_entity::{
    notification::{self, Channel, Topic},
    notification_preference, notification_profile,
};
use praxis_platform::Op;
use sea_orm::EntityTrait;
use sea_orm::QueryFilter;
use uuid::Uuid;

use super::quiet::Quiet;
use crate::{Result, page::any_of};

/// A user or a patient, as far as it matters for a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    User,
    Patient,
}

/// The channels by which somebody of a kind can be told at all.
pub(super) fn channels(kind: Kind) -> &'static [Channel] {
    match kind {
        Kind::User => &[Channel::InApp, Channel::Email, Channel::Push],
        Kind::Patient => &[Channel::Email, Channel::Sms],
    }
}

/// Whether somebody who said nothing is told of a topic by a channel.
pub(super) fn by_default(kind: Kind, topic: Topic, channel: Channel) -> bool {
    match (kind, channel) {
        (Kind::User, Channel::InApp | Channel::Push) => true,
        // Mail is for what must not wait until somebody looks.
        (Kind::User, Channel::Email) => matches!(topic, Topic::TaskEscalated | Topic::AlertRaised),
        (Kind::User, Channel::Sms) => false,
        // Whoever agreed to a channel wants it.
        (Kind::Patient, Channel::Email | Channel::Sms) => true,
        (Kind::Patient, Channel::InApp | Channel::Push) => false,
    }
}

/// To whom a notice goes.
pub(super) fn of(row: &notification::Model) -> (Kind, Uuid) {
    match (row.user_id, row.patient_id) {
        (Some(user), _) => (Kind::User, user.0),
        (None, Some(patient)) => (Kind::Patient, patient.0),
        // The table has no such row.
        (None, None) => (Kind::User, Uuid::nil()),
    }
}

/// What recipients asked for.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    profiles: HashMap<Uuid, notification_profile::Model>,
    preferences: HashMap<(Uuid, Topic, Channel), bool>,
}

impl Wishes {
    /// The wishes of some recipients, with two statements.
    pub(super) async fn load<M>(op: &Op<M>, recipients: &[Uuid]) -> Result<Self> {
        let of = |column| any_of(column, recipients.to_vec());
        let profiles = notification_profile::Entity::find()
            .filter(of(notification_profile::Column::RecipientId))
            .all(op.db())
            .await?;
        let preferences = notification_preference::Entity::find()
            .filter(any_of(notification_preference::Column::RecipientId, recipients.to_vec()))
            .all(op.db())
            .await?;
        Ok(Self {
            profiles: profiles.into_iter().map(|row| (row.recipient_id, row)).collect(),
            preferences: preferences
                .into_iter()
                .map(|row| ((row.recipient_id, row.topic, row.channel), row.enabled))
                .collect(),
        })
    }

    /// Whether a recipient wants to be told of a topic by a channel.
    pub(super) fn want(&self, kind: Kind, recipient: Uuid, topic: Topic, channel: Channel) -> bool {
        let said = self.preferences.get(&(recipient, topic, channel)).copied();
        said.unwrap_or_else(|| by_default(kind, topic, channel))
    }

    /// The locale of a recipient.
    pub(super) fn locale(&self, recipient: Uuid) -> Option<&str> {
        self.profiles.get(&recipient)?.locale.as_deref()
    }

    /// When a recipient is left in peace by a channel.
    pub(super) fn quiet(&self, kind: Kind, recipient: Uuid, channel: Channel, clinic: &str) -> Option<Quiet> {
        if channel == Channel::InApp {
            return None;
        }
        let profile = self.profiles.get(&recipient);
        let zone = profile.and_then(|profile| profile.time_zone.as_deref()).unwrap_or(clinic);
        let zone: Tz = zone.parse().unwrap_or(chrono_tz::UTC);
        match profile.and_then(|profile| profile.quiet_from.zip(profile.quiet_until)) {
            Some((from, until)) => Some(Quiet { from, until, zone }),
            None if kind == Kind::Patient && channel == Channel::Sms => Quiet::nights(zone),
            None => None,
        }
    }
}
