//! Second factors: codes of authenticator apps, passkeys, recovery codes.
//!
//! [`show()`] is the one place where a factor is looked at; what follows from it (a session, a
//! session stepped up) is decided in [`crate::session`]. Every factor works once: a code by its time
//! step, a passkey by its [`Challenge`], a recovery code by being used up.

mod challenge;
mod enrolled;
mod guard;
pub mod notice;
pub mod recovery;
mod show;
pub mod totp;
pub mod webauthn;

pub use challenge::{Challenge, Purpose};
pub use enrolled::{Enrolled, is_required};
pub use show::{NotShown, Shown, show, show_alone};
