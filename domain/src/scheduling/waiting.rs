//! The waiting list: who takes a time that becomes free.
//!
//! A time that was called off is held for whoever waits for one like it: the most pressing first, then who has
//! waited longest. They say yes before the hold runs out, or the next in line is asked. Nobody is asked twice for
//! the same time.

mod add;
mod answer;
mod offer;
mod read;

pub use add::{AddToWaitlist, add_to_waitlist, remove_from_waitlist};
pub use answer::{accept_offer, decline_offer};
pub(super) use answer::{change, offered};
pub use offer::{OFFER_MINUTES, offer_freed, offer_ran_out};
pub use read::{WaitlistFilter, count_waitlist, waitlist, waitlist_by_ids};
