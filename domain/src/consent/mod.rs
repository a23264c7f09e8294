//! What a patient allows and forbids.
//!
//! A directive speaks of a class of the record and of anyone, a branch, a role or a person. The most specific one
//! decides, and of two that are equally specific the one that forbids. A directive takes away; one that allows only
//! makes an exception from another, and never gives what no role gives.

mod read;
mod record;
mod revoke;

pub use read::{by_ids, of_patients};
pub use record::{RecordConsent, Whom, record};
pub use revoke::revoke;
