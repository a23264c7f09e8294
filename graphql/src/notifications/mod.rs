//! What staff and patients are told: one's own notices and wishes, the clinic's words, and what became of all.

mod mutation;
mod query;
mod settings;
mod types;

pub(crate) use mutation::NotificationMutation;
pub(crate) use query::NotificationQuery;
pub(crate) use settings::{ChannelConsent, NotificationPreference, NotificationProfile, PushDevice};

use praxis_platform::access::Permission;

use crate::policy::{Access, Rule, inherited, needs, open};

pub(crate) const POLICY: &[Rule] = &[
    open("Query", Access::SignedIn, &["notifications"]),
    needs("Query", Permission::NOTIFICATION_MANAGE, &["notificationTemplates", "notificationDeliveries"]),
    open(
        "Mutation",
        Access::SignedIn,
        &[
            "notificationMarkRead",
            "notificationPreferenceSet",
            "notificationProfileSet",
            "pushDeviceRegister",
            "pushDeviceRemove",
        ],
    ),
    needs("Mutation", Permission::NOTIFICATION_MANAGE, &["notificationTemplateSave", "notificationRetry"]),
    needs("Mutation", Permission::PATIENT_UPDATE, &["channelConsentSet"]),
    needs("Patient", Permission::PATIENT_CONTACT_READ, &["channelConsents", "notificationProfile"]),
    inherited(
        "Notification",
        &["id", "createdAt", "topic", "text", "subjectId", "subject", "aboutAt", "readAt"],
    ),
    inherited("NotificationConnection", &["edges", "nodes", "pageInfo", "totalCount"]),
    inherited("NotificationEdge", &["cursor", "node"]),
    inherited(
        "NotificationDelivery",
        &[
            "id",
            "createdAt",
            "topic",
            "channel",
            "toPatient",
            "status",
            "scheduledFor",
            "attempts",
            "nextAttemptAt",
            "sentAt",
            "deliveredAt",
            "reason",
            "allowedActions",
        ],
    ),
    inherited("NotificationDeliveryConnection", &["edges", "nodes", "pageInfo", "totalCount"]),
    inherited("NotificationDeliveryEdge", &["cursor", "node"]),
    inherited(
        "NotificationTemplate",
        &["id", "version", "createdAt", "createdBy", "topic", "channel", "locale", "subject", "body"],
    ),
    inherited("NotificationPreference", &["topic", "channel", "enabled"]),
    inherited("NotificationProfile", &["locale", "timeZone", "quietFrom", "quietUntil"]),
    inherited("ChannelConsent", &["channel", "givenAt", "recordedBy"]),
    inherited("PushDevice", &["id", "createdAt", "name"]),
    inherited("NotificationMarkReadPayload", &["marked", "userErrors"]),
    inherited("NotificationPreferenceSetPayload", &["preference", "userErrors"]),
    inherited("NotificationProfileSetPayload", &["profile", "userErrors"]),
    inherited("NotificationTemplateSavePayload", &["template", "userErrors"]),
    inherited("ChannelConsentSetPayload", &["patient", "userErrors"]),
    inherited("NotificationRetryPayload", &["delivery", "userErrors"]),
    inherited("PushDeviceRegisterPayload", &["device", "userErrors"]),
    inherited("PushDeviceRemovePayload", &["device", "userErrors"]),
];
