//! Templates of documents: sections, and which of them must be filled in.
//!
//! A change makes another version. Documents name the version that they were begun from and carry its headings, so
//! none ever changes with its template.

mod change;
mod read;
mod retire;

pub use change::{SetTemplate, add, change};
pub(super) use read::of;
pub use read::{Template, by_ids, current, list, version};
pub use retire::retire;
