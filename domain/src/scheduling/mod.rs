//! Booked visits: free time found, time reserved, moved and given back.
//!
//! Two visits never share a lane of a practitioner, room or device. Whoever books first locks the rows of the
//! resources, always in the same order, then looks, then writes; the exclusion constraint
//! `appointment_no_overlap` is the last line behind that. See `docs/scheduling.md`.

mod advance;
mod book;
mod cancel;
mod check;
mod conflict;
mod enter_in_error;
mod except;
mod exceptions;
mod expire;
mod feed;
mod filter;
mod find;
mod follow;
mod hold;
mod mark_no_show;
mod market;
mod place;
mod queue;
pub mod react;
mod read;
mod remind;
mod reschedule;
mod reserve;
mod rule;
mod series;
mod slots;
mod suggest;
mod tell;
mod waiting;

pub use advance::advance;
pub use book::{DEFAULT_HOLD_MINUTES, book, confirm_hold, hold};
pub use cancel::{CANCELLATION_REASONS, CancelReason, cancel};
pub use check::is_timely;
pub use enter_in_error::enter_in_error;
pub use except::{AddException, Whose, add_exception, exceptions, exceptions_by_ids, remove_exception};
pub use expire::{expire_hold, expire_holds};
pub use feed::{create_feed, feed, revoke_feed};
pub use filter::{AppointmentFilter, AppointmentOrder, Ordered};
pub use find::{FindSlots, MOST_PRACTITIONERS, Slot, find_slots};
pub(crate) use follow::{follow, left, locked};
pub use mark_no_show::{mark_no_show, undo_no_show};
pub use queue::{QueueStep, call_next, issue_token, queue_tokens, step_token, tokens_by_ids};
pub use read::{by_ids, count, count_of_patients, devices_of, list, of_patients};
pub use remind::remind;
pub use reschedule::{RescheduleTo, reschedule};
pub use reserve::BookAppointment;
pub use series::{
    BookSeries, ReplaceSeries, appointments_of_series, book_series, cancel_series, replace_series,
    series_by_ids,
};
pub use suggest::{Preferences, Suggestion, SuggestionReason, suggest};
pub use waiting::{
    AddToWaitlist, OFFER_MINUTES, WaitlistFilter, accept_offer, add_to_waitlist, count_waitlist,
    decline_offer, offer_freed, offer_ran_out, remove_from_waitlist, waitlist, waitlist_by_ids,
};
