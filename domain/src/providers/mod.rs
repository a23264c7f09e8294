//! Identity providers: where people of the clinic sign in instead of here, and who they are there.

mod add;
mod change;
mod link;
mod read;
mod rules;
mod unlink;

pub use add::{NewProvider, add};
pub use change::{Patch, change, remove};
pub use link::link;
pub use read::{Linked, all, by_ids, identities_of, own_identities};
pub use unlink::{unlink, unlink_user};
