//! Signing in at an identity provider of the clinic's: OpenID Connect with PKCE, `state` and `nonce`.
//!
//! Who somebody is there is issuer and subject, never an e-mail address. An identity opens an account
//! only after its owner linked the two: signed in to one with a fresh second factor, and to the
//! other. Providers are chosen by clinics and may be hostile: what they can do is bounded to those
//! who link themselves to them, and to where this server may be sent (`http`).

mod attempt;
mod http;
mod id_token;
mod provider;
mod sign_in;

pub use attempt::LIFETIME;
pub use http::may_be_asked;
pub(crate) use http::{NoAnswer, Outbound};
pub use provider::{OutboundError, Providers};
pub use sign_in::{Begun, Callback, Error, Finished, Refusal, begin, finish, link, offered};
