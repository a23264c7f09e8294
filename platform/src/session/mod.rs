//! Who is calling: sign-in by password, sessions, and the actor of a request.
//!
//! Tokens are 256 random bits, stored as a keyed hash. A session ends when it is idle for too long,
//! at its absolute end, or when somebody ends it; what is cached of it lives for two seconds.
//! Second factors and external identity providers join here.

mod authenticate;
mod login;
mod open;
mod password;

pub use authenticate::{Authenticator, Credential};
pub use login::{LoginRefused, SessionKind, login, logout};
pub use open::{Method, SignedIn, open};
pub use password::{PasswordRefused, hash_password, verify_password};
