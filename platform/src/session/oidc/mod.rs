//! Signing in at an identity provider of the clinic's: OpenID Connect with PKCE, `state` and `nonce`.
//!
//! Who somebody is there is issuer and subject, never an e-mail address. An identity opens an account
//! only after its owner linked the two: signed in to one with a fresh second factor, or invited to it,
//! and signed in to the other. Providers are chosen by clinics and may be hostile: what they can do is
//! bounded to those who link themselves to them, and to where this server may be sent (`http`).

mod attempt;
mod http;
mod id_token;
pub mod notice;
mod provider;
mod returned;
mod sign_in;

pub use attempt::{Intent, LIFETIME};
pub use http::may_be_asked;
pub(crate) use http::{NoAnswer, Outbound};
pub use provider::{OutboundError, Providers};
pub use returned::Returned;
pub use sign_in::{Begun, Callback, Error, Refusal, begin, come_back, offered};
