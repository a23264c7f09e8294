//! What the clinic itself is.

mod mutation;
mod query;
mod types;

pub(crate) use mutation::ClinicMutation;
pub(crate) use query::ClinicQuery;
pub(crate) use types::{Facility, Organization, Room, VisitKind};

use praxis_platform::access::Permission;

use crate::policy::{Access, Rule, inherited, needs, open};

pub(crate) const POLICY: &[Rule] = &[
    inherited(
        "Facility",
        &[
            "id",
            "version",
            "createdAt",
            "updatedAt",
            "code",
            "name",
            "timeZone",
            "phone",
            "addressLines",
            "active",
        ],
    ),
    inherited("Room", &["id", "name", "active", "facility"]),
    inherited(
        "VisitKind",
        &["id", "key", "name", "type", "durationMinutes", "bufferBeforeMinutes", "bufferAfterMinutes"],
    ),
    inherited("Organization", &["id", "name", "kind", "phone", "addressLines"]),
    inherited("Tenant", &["id", "slug", "displayName", "locale", "timeZone"]),
    open("Query", Access::Public, &["tenant"]),
    needs("Query", Permission::FACILITY_READ, &["facilities", "rooms"]),
    needs("Query", Permission::SCHEDULE_READ, &["visitKinds"]),
    needs("Mutation", Permission::FACILITY_MANAGE, &["facilityAdd", "roomAdd"]),
    inherited("FacilityAddPayload", &["facility", "userErrors"]),
    inherited("RoomAddPayload", &["room", "userErrors"]),
];
