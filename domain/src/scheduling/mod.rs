//! Booked visits: free time found, time reserved, moved and given back.
//!
//! Two visits never overlap for one practitioner or room. Whoever books first locks the rows of the
//! resources, always in the same order, then looks, then writes; the exclusion constraint
//! `appointment_no_overlap` is the last line behind that.

mod advance;
mod book;
mod cancel;
mod check;
mod conflict;
mod filter;
mod follow;
mod free_slots;
mod hold;
mod mark_no_show;
mod place;
mod read;
mod reschedule;
mod slots;

pub use advance::advance;
pub use book::{BookAppointment, book};
pub use cancel::{CANCELLATION_REASONS, CancelReason, cancel};
pub use filter::{AppointmentFilter, AppointmentOrder, Ordered};
pub(crate) use follow::{follow, locked};
pub use free_slots::{FreeSlots, Slot, free_slots};
pub use mark_no_show::mark_no_show;
pub use read::{by_ids, count, count_of_patients, list, of_patients};
pub use reschedule::{RescheduleTo, reschedule};
