//! Clinical documents: written, signed, and from then on only ever continued.
//!
//! A document is a working copy until its author signs it. Signing makes a version of it that nobody changes, with the
//! hash of what was signed; what is said later is another version that takes the place of the one before, with a
//! reason, or an addendum, which is a document of its own. Whoever may not cosign has their documents cosigned, unless
//! the template says that it is not needed.
//!
//! States: `DRAFT` → `SIGNED` or `IN_REVIEW` (until it is cosigned) → `AMENDED`; any of these that is signed →
//! `ENTERED_IN_ERROR`; `DRAFT` → `DISCARDED`. `RECEIVED` came from elsewhere.
//!
//! Only the author changes a working copy, at the version that they saw, and in one place at a time (the lease).
//! What is read is compared with its hash first (`verify`).

mod addendum;
mod amend;
mod body;
mod check;
mod compare;
mod cosign;
mod discard;
mod draft;
mod feed;
mod lease;
mod read;
mod record;
mod save;
mod sign;
pub mod templates;
mod unsigned;
mod verify;
mod version;

pub use addendum::{WriteAddendum, addendum};
pub use amend::{AmendDocument, amend, enter_in_error};
pub use body::SectionText;
pub use check::is_turn;
pub use compare::{Difference, Line, LineChange, compare};
pub use cosign::cosign;
pub use discard::discard;
pub use draft::{DraftDocument, draft};
pub use lease::{LEASE, release_lease, take_lease};
pub use read::{
    DocumentFilter, addenda_of, by_ids, count_of_encounters, count_of_patients, of_encounters, of_patients,
    signatures_of, versions_of,
};
pub use record::{RecordDocument, record_many};
pub use save::save;
pub use sign::sign;
pub use unsigned::{signers, unsigned};
pub use verify::verify;
