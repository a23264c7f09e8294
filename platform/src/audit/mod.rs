//! What was done and what was read, written down before the answer leaves.
//!
//! A write's entry is in the same transaction as the change; a read's is written before the answer.
//! If an entry can't be written, nothing is answered. The table is append-only by rights and by
//! trigger. Sealing the log into a verifiable tree is the next step and needs no other entries.

mod disclosure;
mod entry;

pub use disclosure::Disclosures;
pub use entry::{Entry, Outcome, write};
