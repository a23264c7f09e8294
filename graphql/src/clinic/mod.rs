//! What the clinic itself is.

mod mutation;
mod planning;
mod query;
mod types;

pub(crate) use mutation::ClinicMutation;
pub(crate) use planning::PlanningMutation;
pub(crate) use query::ClinicQuery;
pub(crate) use types::{Device, Facility, Organization, Room, VisitKind};

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
    inherited("Room", &["id", "name", "active", "facility", "version", "capacity", "overbookLimit"]),
    inherited(
        "VisitKind",
        &[
            "id",
            "key",
            "name",
            "type",
            "durationMinutes",
            "bufferBeforeMinutes",
            "bufferAfterMinutes",
            "version",
            "leadMinutes",
            "cutoffMinutes",
            "needsRoom",
            "deviceKinds",
            "reminderMinutes",
        ],
    ),
    inherited(
        "Device",
        &[
            "id",
            "version",
            "createdAt",
            "updatedAt",
            "facility",
            "kind",
            "name",
            "capacity",
            "overbookLimit",
            "active",
        ],
    ),
    inherited("Organization", &["id", "name", "kind", "phone", "addressLines"]),
    inherited("ClinicUsage", &["seats", "storage"]),
    inherited("SeatUsage", &["used", "max"]),
    inherited("StorageUsage", &["usedBytes", "maxBytes"]),
    inherited("Tenant", &["id", "slug", "displayName", "locale", "timeZone"]),
    open("Query", Access::Public, &["tenant"]),
    needs("Query", Permission::SETTINGS_READ, &["usage"]),
    needs("Query", Permission::FACILITY_READ, &["facilities", "rooms", "devices"]),
    needs("Query", Permission::SCHEDULE_READ, &["visitKinds"]),
    needs("Mutation", Permission::FACILITY_MANAGE, &["facilityAdd", "roomAdd", "deviceAdd"]),
    needs("Mutation", Permission::SCHEDULE_MANAGE, &["visitKindConfigure", "resourceCapacitySet"]),
    inherited("FacilityAddPayload", &["facility", "userErrors"]),
    inherited("RoomAddPayload", &["room", "userErrors"]),
    inherited("DeviceAddPayload", &["device", "userErrors"]),
    inherited("VisitKindConfigurePayload", &["visitKind", "userErrors"]),
    inherited("ResourceCapacitySetPayload", &["practitioner", "room", "device", "userErrors"]),
];
