//! Booked visits and free slots.

mod inputs;
mod mutation;
mod query;
mod types;

pub(crate) use inputs::{AppointmentFilter, AppointmentOrder};
pub(crate) use mutation::AppointmentMutation;
pub(crate) use query::AppointmentQuery;
pub(crate) use types::{Appointment, AppointmentConnection, AppointmentType};

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
    inherited("Slot", &["startsAt", "endsAt", "practitioner"]),
    needs("Query", Permission::APPOINTMENT_READ, &["appointment", "appointments"]),
    needs("Query", Permission::SCHEDULE_READ, &["freeSlots"]),
    needs("Mutation", Permission::APPOINTMENT_BOOK, &["appointmentBook"]),
    needs("Mutation", Permission::APPOINTMENT_RESCHEDULE, &["appointmentReschedule"]),
    needs("Mutation", Permission::APPOINTMENT_CANCEL, &["appointmentCancel"]),
    needs("Mutation", Permission::APPOINTMENT_NO_SHOW, &["appointmentMarkNoShow"]),
    inherited("AppointmentBookPayload", &["appointment", "userErrors"]),
    inherited("AppointmentReschedulePayload", &["appointment", "userErrors"]),
    inherited("AppointmentCancelPayload", &["appointment", "userErrors"]),
    inherited("AppointmentMarkNoShowPayload", &["appointment", "userErrors"]),
];
