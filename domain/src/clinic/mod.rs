//! Branches, rooms, kinds of visit, and the organisations the clinic deals with. No PHI.

mod add_facility;
mod add_room;
mod read;
pub(crate) mod text;
mod upsert_organization;

pub use add_facility::{AddFacility, add_facility};
pub use add_room::{AddRoom, add_room};
pub use read::{
    facilities, facilities_by_ids, organizations_by_ids, rooms, rooms_by_ids, specialties_by_ids,
    visit_types, visit_types_by_ids,
};
pub use upsert_organization::{UpsertOrganization, upsert_organization};
