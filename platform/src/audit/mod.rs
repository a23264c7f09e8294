//! What was done and what was read, written down before the answer leaves, and sealed.
//!
//! A write's entry is in the same transaction as the change; a read's is written before the answer.
//! If an entry can't be written, nothing is answered. The tables are append-only by rights and by
//! trigger. Every few seconds entries are numbered, hashed into a Merkle tree and signed, so that even
//! the superuser can't change the past unseen. `docs/audit.md` gives the formats bit for bit.

mod backlog;
mod disclosure;
mod emergency;
mod entry;
mod group_commit;
mod heads;
mod insert;
mod line;
pub mod note;
pub mod proof;
mod seal;
pub mod tree;
pub mod verify;

pub use backlog::{Backlog, Waiting};
pub use disclosure::Disclosures;
pub use entry::{Change, Entry, Outcome, read_lines, write};
pub use group_commit::GroupCommit;
pub use heads::{Head, Heads};
pub use line::line;
pub use seal::{Batch, newest, seal, signer};
