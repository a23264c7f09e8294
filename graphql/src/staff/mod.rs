//! Clinicians and when they see patients.

mod mutation;
mod query;
mod types;

pub(crate) use mutation::StaffMutation;
pub(crate) use query::StaffQuery;
pub(crate) use types::{Practitioner, Weekday};

use praxis_platform::access::Permission;

use crate::policy::{Rule, inherited, needs};

pub(crate) const POLICY: &[Rule] = &[
    needs(
        "Practitioner",
        Permission::STAFF_READ,
        &[
            "id",
            "version",
            "createdAt",
            "updatedAt",
            "displayName",
            "family",
            "given",
            "prefix",
            "specialty",
            "active",
            "bookable",
            "capacity",
            "overbookLimit",
        ],
    ),
    needs("Practitioner", Permission::SCHEDULE_READ, &["availability"]),
    inherited(
        "AvailabilityRule",
        &["id", "facility", "weekday", "startsLocal", "endsLocal", "timeZone", "validFrom", "validUntil"],
    ),
    inherited("PractitionerConnection", &["edges", "nodes", "pageInfo", "totalCount"]),
    inherited("PractitionerEdge", &["cursor", "node"]),
    needs("Query", Permission::STAFF_READ, &["practitioner", "practitioners"]),
    needs("Mutation", Permission::STAFF_MANAGE, &["practitionerRegister"]),
    needs("Mutation", Permission::SCHEDULE_MANAGE, &["availabilitySet"]),
    inherited("PractitionerRegisterPayload", &["practitioner", "userErrors"]),
    inherited("AvailabilitySetPayload", &["practitioner", "userErrors"]),
];
