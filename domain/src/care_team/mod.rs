//! Who cares for a patient, since when, and as what.
//!
//! Being in the care team opens what roles and fields bind to it. Members are never removed, only ended.

mod add;
mod end;
mod read;

pub use add::{AddMember, Carer, add};
pub use end::end;
pub use read::{by_ids, of_patients};
