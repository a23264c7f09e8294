//! Booked visits, free slots, series, the waiting list, walk-in queues and calendars.

mod exceptions;
mod feed;
mod inputs;
mod mutation;
mod query;
mod queue;
mod series;
mod slots;
mod steps;
mod types;
mod waitlist;

pub(crate) use exceptions::{ExceptionMutation, ExceptionQuery};
pub(crate) use feed::FeedMutation;
pub(crate) use inputs::{AppointmentFilter, AppointmentOrder};
pub(crate) use mutation::AppointmentMutation;
pub(crate) use query::AppointmentQuery;
pub(crate) use queue::{QueueMutation, QueueQuery, QueueToken};
pub(crate) use series::{AppointmentSeries, SeriesMutation, SeriesQuery};
pub(crate) use slots::SlotQuery;
pub(crate) use steps::VisitStepMutation;
pub(crate) use types::{Appointment, AppointmentConnection, AppointmentType};
pub(crate) use waitlist::{WaitlistEntry, WaitlistMutation, WaitlistQuery};

use praxis_platform::access::Permission;

use crate::policy::{PhiCategory, Rule, inherited, needs, phi};

pub(crate) const POLICY: &[Rule] = &[
    needs(
        "Appointment",
        Permission::APPOINTMENT_READ,
        &[
            "id",
            "version",
            "createdAt",
            "updatedAt",
            "redactions",
            "confidentiality",
            "viewerPermissions",
            "allowedActions",
            "patient",
            "practitioner",
            "facility",
            "room",
            "visitKind",
            "type",
            "status",
            "startsAt",
            "endsAt",
            "timeZone",
            "cancelCode",
            "cancelledLate",
            "devices",
            "series",
            "holdExpiresAt",
            "overbooked",
        ],
    ),
    phi(
        "Appointment",
        Permission::APPOINTMENT_REASON_READ,
        PhiCategory::FreeText,
        &["reason", "cancelReason"],
    ),
    needs("Appointment", Permission::ENCOUNTER_READ, &["encounter"]),
    inherited("AppointmentConnection", &["edges", "nodes", "pageInfo", "totalCount"]),
    inherited("AppointmentEdge", &["cursor", "node"]),
    inherited("Slot", &["startsAt", "endsAt", "practitioner", "facility", "room", "devices"]),
    inherited("SlotSuggestion", &["slot", "reasons", "score"]),
    needs(
        "AppointmentSeries",
        Permission::APPOINTMENT_READ,
        &[
            "id",
            "version",
            "createdAt",
            "updatedAt",
            "allowedActions",
            "patient",
            "practitioner",
            "facility",
            "rule",
            "timeZone",
            "status",
            "replaces",
            "appointments",
            "skipped",
        ],
    ),
    needs(
        "WaitlistEntry",
        Permission::WAITING_LIST_MANAGE,
        &[
            "id",
            "version",
            "createdAt",
            "updatedAt",
            "allowedActions",
            "patient",
            "practitioner",
            "facility",
            "visitKind",
            "type",
            "durationMinutes",
            "earliest",
            "latest",
            "priority",
            "status",
            "appointment",
        ],
    ),
    inherited("WaitlistEntryConnection", &["edges", "nodes", "pageInfo", "totalCount"]),
    inherited("WaitlistEntryEdge", &["cursor", "node"]),
    needs(
        "QueueToken",
        Permission::QUEUE_MANAGE,
        &[
            "id",
            "version",
            "createdAt",
            "updatedAt",
            "allowedActions",
            "facility",
            "queue",
            "day",
            "number",
            "patient",
            "status",
            "desk",
            "calledAt",
            "servedAt",
        ],
    ),
    inherited(
        "AvailabilityException",
        &[
            "id",
            "version",
            "createdAt",
            "facility",
            "practitioner",
            "room",
            "device",
            "kind",
            "firstDay",
            "lastDay",
            "startsLocal",
            "endsLocal",
            "timeZone",
        ],
    ),
    needs("Query", Permission::APPOINTMENT_READ, &["appointment", "appointments", "appointmentSeries"]),
    needs("Query", Permission::SCHEDULE_READ, &["freeSlots", "slots", "availabilityExceptions"]),
    needs("Query", Permission::APPOINTMENT_BOOK, &["slotSuggestions"]),
    needs("Query", Permission::WAITING_LIST_MANAGE, &["waitlistEntries"]),
    needs("Query", Permission::QUEUE_MANAGE, &["queueTokens"]),
    needs(
        "Mutation",
        Permission::APPOINTMENT_BOOK,
        &[
            "appointmentBook",
            "appointmentHold",
            "appointmentHoldConfirm",
            "appointmentConfirm",
            "appointmentArrive",
            "appointmentCheckIn",
            "appointmentRoom",
            "appointmentStart",
            "appointmentComplete",
            "appointmentSeriesBook",
        ],
    ),
    needs(
        "Mutation",
        Permission::APPOINTMENT_RESCHEDULE,
        &["appointmentReschedule", "appointmentSeriesReplace"],
    ),
    needs(
        "Mutation",
        Permission::APPOINTMENT_CANCEL,
        &["appointmentCancel", "appointmentEnterInError", "appointmentSeriesCancel"],
    ),
    needs("Mutation", Permission::APPOINTMENT_NO_SHOW, &["appointmentMarkNoShow", "appointmentUndoNoShow"]),
    needs(
        "Mutation",
        Permission::WAITING_LIST_MANAGE,
        &["waitlistEntryAdd", "waitlistEntryRemove", "waitlistOfferAccept", "waitlistOfferDecline"],
    ),
    needs(
        "Mutation",
        Permission::QUEUE_MANAGE,
        &["queueTokenIssue", "queueTokenCallNext", "queueTokenCall", "queueTokenServe", "queueTokenSkip"],
    ),
    needs(
        "Mutation",
        Permission::SCHEDULE_MANAGE,
        &["availabilityExceptionAdd", "availabilityExceptionRemove"],
    ),
    needs("Mutation", Permission::SCHEDULE_READ, &["calendarFeedCreate", "calendarFeedRevoke"]),
    inherited("AppointmentBookPayload", &["appointment", "userErrors"]),
    inherited("AppointmentReschedulePayload", &["appointment", "userErrors"]),
    inherited("AppointmentCancelPayload", &["appointment", "userErrors"]),
    inherited("AppointmentMarkNoShowPayload", &["appointment", "userErrors"]),
    inherited("AppointmentHoldPayload", &["appointment", "userErrors"]),
    inherited("AppointmentHoldConfirmPayload", &["appointment", "userErrors"]),
    inherited("AppointmentConfirmPayload", &["appointment", "userErrors"]),
    inherited("AppointmentArrivePayload", &["appointment", "userErrors"]),
    inherited("AppointmentCheckInPayload", &["appointment", "userErrors"]),
    inherited("AppointmentRoomPayload", &["appointment", "userErrors"]),
    inherited("AppointmentStartPayload", &["appointment", "userErrors"]),
    inherited("AppointmentCompletePayload", &["appointment", "userErrors"]),
    inherited("AppointmentUndoNoShowPayload", &["appointment", "userErrors"]),
    inherited("AppointmentEnterInErrorPayload", &["appointment", "userErrors"]),
    inherited("AppointmentSeriesBookPayload", &["series", "userErrors"]),
    inherited("AppointmentSeriesCancelPayload", &["series", "userErrors"]),
    inherited("AppointmentSeriesReplacePayload", &["series", "userErrors"]),
    inherited("WaitlistEntryAddPayload", &["waitlistEntry", "userErrors"]),
    inherited("WaitlistEntryRemovePayload", &["waitlistEntry", "userErrors"]),
    inherited("WaitlistOfferAcceptPayload", &["waitlistEntry", "userErrors"]),
    inherited("WaitlistOfferDeclinePayload", &["waitlistEntry", "userErrors"]),
    inherited("QueueTokenIssuePayload", &["token", "userErrors"]),
    inherited("QueueTokenCallNextPayload", &["token", "userErrors"]),
    inherited("QueueTokenCallPayload", &["token", "userErrors"]),
    inherited("QueueTokenServePayload", &["token", "userErrors"]),
    inherited("QueueTokenSkipPayload", &["token", "userErrors"]),
    inherited("AvailabilityExceptionAddPayload", &["availabilityException", "userErrors"]),
    inherited("AvailabilityExceptionRemovePayload", &["removedId", "userErrors"]),
    inherited("CalendarFeedCreatePayload", &["path", "userErrors"]),
    inherited("CalendarFeedRevokePayload", &["revoked", "userErrors"]),
];
