//! Identity providers: where people of the clinic sign in instead of here.

mod add;
mod change;
mod read;
mod rules;

pub use add::{NewProvider, add};
pub use change::{Patch, change, remove};
pub use read::{all, by_ids, linked};
