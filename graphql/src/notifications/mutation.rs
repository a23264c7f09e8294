//! Saying what one wants to be told, having read it, and the words of the clinic.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use praxis_domain::notifications::{
    self, Preference, Profile, RegisterDevice, SaveTemplate, SetConsent, SetProfile,
};
use praxis_entity::ids::NotificationId;

use super::{
    settings::{NotificationPreference, NotificationProfile, PushDevice},
    types::{NotificationChannel, NotificationDelivery, NotificationTemplate, NotificationTopic},
};
use crate::{
    context::{Ask, change},
    error::{ApiError, Code},
    ids,
    patients::Patient,
    payload::UserError,
    scalar::{LocalTime, TimeZone},
};

/// Saying what one wants to be told, having read it, and the words of the clinic.
#[derive(Default)]
pub(crate) struct NotificationMutation;

/// Notices that were read.
#[derive(InputObject)]
pub(crate) struct NotificationMarkReadInput {
    /// Which, 100 at the most; all of them when absent.
    ids: Option<Vec<ID>>,
}

/// How many notices were marked.
#[derive(SimpleObject)]
pub(crate) struct NotificationMarkReadPayload {
    /// How many were not read before.
    marked: Option<i64>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// What the viewer wants to be told.
#[derive(InputObject)]
pub(crate) struct NotificationPreferenceSetInput {
    /// Of what.
    topic: NotificationTopic,
    /// By which way: IN_APP, EMAIL or PUSH.
    channel: NotificationChannel,
    /// Whether they want it.
    enabled: bool,
}

/// What the viewer is told, or why nothing changed.
#[derive(SimpleObject)]
pub(crate) struct NotificationPreferenceSetPayload {
    /// As it is now.
    preference: Option<NotificationPreference>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// How somebody is spoken to, as a whole: what is absent becomes the clinic's.
#[derive(InputObject)]
pub(crate) struct NotificationProfileSetInput {
    /// Of which patient; the viewer's own when absent.
    patient_id: Option<ID>,
    /// BCP 47.
    locale: Option<String>,
    /// Zone of their wall clock.
    time_zone: Option<TimeZone>,
    /// From when on they are left in peace, on that clock; together with the end.
    quiet_from: Option<LocalTime>,
    /// Until when; not later than the beginning means the next day.
    quiet_until: Option<LocalTime>,
}

/// How somebody is spoken to, or why nothing changed.
#[derive(SimpleObject)]
pub(crate) struct NotificationProfileSetPayload {
    /// As it is now.
    profile: Option<NotificationProfile>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// Words to be saved.
#[derive(InputObject)]
pub(crate) struct NotificationTemplateSaveInput {
    /// What they are about.
    topic: NotificationTopic,
    /// By which way they go: IN_APP, EMAIL or SMS.
    channel: NotificationChannel,
    /// BCP 47, as `de` or `en-GB`.
    locale: String,
    /// Subject of a mail.
    subject: Option<String>,
    /// The words, with places for `clinic`, `origin`, and for appointments `date` and `time`, as `{{ date }}`.
    body: String,
    /// The version that is in use; 0 where the words that come with the software are.
    if_version: i32,
}

/// The saved words, or why there are none.
#[derive(SimpleObject)]
pub(crate) struct NotificationTemplateSavePayload {
    /// The new version.
    template: Option<NotificationTemplate>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// Whether a patient may be written to.
#[derive(InputObject)]
pub(crate) struct ChannelConsentSetInput {
    /// Who.
    patient_id: ID,
    /// By which way: EMAIL or SMS.
    channel: NotificationChannel,
    /// Whether they agree, for the number or address they have now.
    allowed: bool,
}

/// The patient, or why nothing changed.
#[derive(SimpleObject)]
pub(crate) struct ChannelConsentSetPayload {
    /// The patient.
    patient: Option<Patient>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// A notice to be tried anew.
#[derive(InputObject)]
pub(crate) struct NotificationRetryInput {
    /// Which notice.
    id: ID,
}

/// The notice, or why nothing changed.
#[derive(SimpleObject)]
pub(crate) struct NotificationRetryPayload {
    /// As it is now.
    delivery: Option<NotificationDelivery>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// A device to be rung up.
#[derive(InputObject)]
pub(crate) struct PushDeviceRegisterInput {
    /// What its owner calls it.
    name: String,
    /// The address that its push service gave it (`PushSubscription.endpoint`).
    address: String,
}

/// The device, or why there is none.
#[derive(SimpleObject)]
pub(crate) struct PushDeviceRegisterPayload {
    /// The device.
    device: Option<PushDevice>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

/// A device to be taken off.
#[derive(InputObject)]
pub(crate) struct PushDeviceRemoveInput {
    /// Which device.
    id: ID,
}

/// The device that was taken off, or why none was.
#[derive(SimpleObject)]
pub(crate) struct PushDeviceRemovePayload {
    /// The device.
    device: Option<PushDevice>,
    /// What the person at the screen can put right; non-empty means nothing was written.
    user_errors: Vec<UserError>,
}

#[Object]
impl NotificationMutation {
    /// Marks the viewer's notices as read. Those of others are left alone.
    ///
    /// Errors: TOO_LONG.
    async fn notification_mark_read(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The notices.")] input: NotificationMarkReadInput,
    ) -> Result<NotificationMarkReadPayload, ApiError> {
        let which: Option<Vec<NotificationId>> =
            input.ids.map(|given| given.iter().map(ids::parse).collect::<Result<_, _>>()).transpose()?;
        let done = change(ctx, "Mutation.notificationMarkRead", async |op| {
            notifications::mark_read(op, which.as_deref()).await
        });
        let (marked, user_errors) = done.await?.split();
        Ok(NotificationMarkReadPayload { marked: marked.and_then(|n| i64::try_from(n).ok()), user_errors })
    }

    /// Sets whether the viewer is told of a topic by a channel.
    ///
    /// Errors: INVALID.
    async fn notification_preference_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the viewer wants.")] input: NotificationPreferenceSetInput,
    ) -> Result<NotificationPreferenceSetPayload, ApiError> {
        let wish =
            Preference { topic: input.topic.into(), channel: input.channel.into(), enabled: input.enabled };
        let done = change(ctx, "Mutation.notificationPreferenceSet", async |op| {
            notifications::set_preference(op, wish).await
        });
        let (preference, user_errors) = done.await?.split();
        Ok(NotificationPreferenceSetPayload { preference: preference.map(Into::into), user_errors })
    }

    /// Sets in which language the viewer or a patient is spoken to, and when they are left in peace. For a
    /// patient this needs the permission to change the registration.
    ///
    /// Errors: NOT_FOUND, INVALID, TOO_LONG.
    async fn notification_profile_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How.")] input: NotificationProfileSetInput,
    ) -> Result<NotificationProfileSetPayload, ApiError> {
        let quiet = match (input.quiet_from, input.quiet_until) {
            (Some(from), Some(until)) => Some((from.0, until.0)),
            (None, None) => None,
            _ => {
                let message = "Quiet hours have a beginning and an end, or neither.";
                return Err(ApiError::new(Code::BadUserInput, message));
            }
        };
        let new = SetProfile {
            patient: input.patient_id.map(|id| ids::parse(&id)).transpose()?,
            profile: Profile { locale: input.locale, time_zone: input.time_zone.map(|zone| zone.0), quiet },
        };
        let done = change(ctx, "Mutation.notificationProfileSet", async |op| {
            notifications::set_profile(op, new).await
        });
        let (profile, user_errors) = done.await?.split();
        Ok(NotificationProfileSetPayload { profile: profile.map(Into::into), user_errors })
    }

    /// Saves the clinic's own words for a topic, channel and locale, as a new version. Words that would carry what
    /// is known of a patient are refused.
    ///
    /// Errors: REQUIRED, INVALID, TOO_LONG, VERSION_CONFLICT.
    async fn notification_template_save(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The words.")] input: NotificationTemplateSaveInput,
    ) -> Result<NotificationTemplateSavePayload, ApiError> {
        let new = SaveTemplate {
            topic: input.topic.into(),
            channel: input.channel.into(),
            locale: input.locale,
            subject: input.subject,
            body: input.body,
            if_version: input.if_version,
        };
        let done = change(ctx, "Mutation.notificationTemplateSave", async |op| {
            notifications::save_template(op, new).await
        });
        let (row, user_errors) = done.await?.split();
        Ok(NotificationTemplateSavePayload { template: row.map(NotificationTemplate::new), user_errors })
    }

    /// Records whether a patient may be written to at the number or address they have now. Another number needs
    /// another consent.
    ///
    /// Errors: NOT_FOUND, INVALID.
    async fn channel_consent_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the patient said.")] input: ChannelConsentSetInput,
    ) -> Result<ChannelConsentSetPayload, ApiError> {
        let new = SetConsent {
            patient: ids::parse(&input.patient_id)?,
            channel: input.channel.into(),
            allowed: input.allowed,
        };
        let done =
            change(ctx, "Mutation.channelConsentSet", async |op| notifications::set_consent(op, new).await);
        let (id, user_errors) = done.await?.split();
        let patient = match id {
            Some(id) => ctx.caller()?.loaders().patients.load(id).await?.map(Patient::new),
            None => None,
        };
        Ok(ChannelConsentSetPayload { patient, user_errors })
    }

    /// Lets a notice be tried anew that was given up. Whether it still is to be sent is judged when it is.
    ///
    /// Errors: NOT_FOUND, INVALID_TRANSITION.
    async fn notification_retry(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The notice.")] input: NotificationRetryInput,
    ) -> Result<NotificationRetryPayload, ApiError> {
        let id = ids::parse(&input.id)?;
        let done = change(ctx, "Mutation.notificationRetry", async |op| notifications::retry(op, id).await);
        let (row, user_errors) = done.await?.split();
        Ok(NotificationRetryPayload { delivery: row.map(NotificationDelivery::new), user_errors })
    }

    /// Registers a device on which the viewer is rung up when there is something new. It is told nothing more.
    ///
    /// Errors: REQUIRED, INVALID, TOO_LONG, OUT_OF_RANGE.
    async fn push_device_register(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The device.")] input: PushDeviceRegisterInput,
    ) -> Result<PushDeviceRegisterPayload, ApiError> {
        let new = RegisterDevice { name: input.name, address: input.address };
        let done = change(ctx, "Mutation.pushDeviceRegister", async |op| {
            notifications::register_device(op, new).await
        });
        let (row, user_errors) = done.await?.split();
        Ok(PushDeviceRegisterPayload { device: row.map(Into::into), user_errors })
    }

    /// Takes one of the viewer's devices off.
    ///
    /// Errors: NOT_FOUND.
    async fn push_device_remove(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The device.")] input: PushDeviceRemoveInput,
    ) -> Result<PushDeviceRemovePayload, ApiError> {
        let id = ids::parse(&input.id)?;
        let done =
            change(ctx, "Mutation.pushDeviceRemove", async |op| notifications::remove_device(op, id).await);
        let (row, user_errors) = done.await?.split();
        Ok(PushDeviceRemovePayload { device: row.map(Into::into), user_errors })
    }
}
