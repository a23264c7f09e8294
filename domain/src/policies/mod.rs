//! What the clinic asks for before a field is read, beyond what the platform asks for.
//!
//! A policy adds to the platform's own and to other policies of the same field; it can never stand in for one. So a
//! clinic can tighten, and nothing it can store loosens.

mod read;
mod remove;
mod set;

pub use read::{by_ids, list};
pub use remove::remove;
pub use set::{SetPolicy, set};
