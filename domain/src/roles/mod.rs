//! Roles: named sets of permissions, and who holds them where.
//!
//! Roles are data. Whoever manages them shows a second factor, gives and edits nothing beyond what they
//! hold themselves everywhere and always, and can't leave the clinic without an owner. `*` stands for
//! every right, those of later versions too.

mod change;
mod create;
mod grant;
mod reach;
mod read;
mod retire;
mod review;
mod revoke;

pub use change::{RoleChange, change};
pub use create::{NewRole, create};
pub use grant::{Grant, grant};
pub use read::{Permitted, Role, all, by_ids};
pub use retire::retire;
pub use review::{Held, count_held, held, held_by_ids};
pub use revoke::revoke;
