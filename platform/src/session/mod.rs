//! Who is calling: ways to sign in, sessions, and the actor of a request.
//!
//! Whoever proved who they are goes through [`proceed`] to a session; nothing outside this module can
//! open one. A browser carries it as an opaque cookie token, kept as a keyed hash; other clients as a signed access token of ten minutes,
//! renewed with a refresh token that works once. A session ends when nobody used it for too long, at
//! its absolute end, or when somebody ends it. What a server remembers of one is compared with the
//! clinic's mark at every use, so the next request notices.

mod access_token;
mod authenticate;
mod end;
mod live;
mod login;
pub mod oidc;
mod open;
mod password;
mod password_policy;
mod refresh;
mod second_factor;
mod step;
mod watch;

pub use authenticate::{Authenticator, Credential, Recalled, touch};
pub use end::{end_session, end_sessions, end_sessions_from, logout};
pub use live::{IDLE, idle_limit};
pub use login::{LoginRefused, SessionKind, login};
pub use open::{ABSOLUTE, Method, SignedIn};
pub use password::{NO_PASSWORD, hash_password, verify_password};
pub use password_policy::PasswordRefused;
pub use refresh::refresh;
pub use second_factor::{
    passkey_options, passkey_sign_in, second_factor, second_factor_options, step_up, step_up_options,
    stepped_up,
};
pub use step::{Asked, SignIn, proceed};
pub use watch::{Over, check, watch};
