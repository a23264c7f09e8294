//! Branches, rooms, devices, kinds of visit, and the organisations the clinic deals with. No PHI.

mod add_device;
mod add_facility;
mod add_room;
mod configure_visit_type;
mod read;
mod set_capacity;
pub(crate) mod text;
mod upsert_organization;
pub(crate) mod usage;

pub use add_device::{AddDevice, add_device};
pub use add_facility::{AddFacility, add_facility};
pub use add_room::{AddRoom, add_room};
pub use configure_visit_type::{ConfigureVisitType, configure_visit_type};
pub use read::{
    devices, devices_by_ids, facilities, facilities_by_ids, organizations_by_ids, rooms, rooms_by_ids,
    specialties_by_ids, visit_types, visit_types_by_ids,
};
pub use set_capacity::{Resource, ResourceId, set_capacity};
pub use upsert_organization::{UpsertOrganization, upsert_organization};
pub use usage::{Usage, usage};
