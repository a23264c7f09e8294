//! Passkeys: the checks that WebAuthn level 3 asks of a relying party, as pure functions.
//!
//! [`register`] turns a browser's answer into a [`NewPasskey`], [`assert()`] holds an answer against a
//! known one. Everything a client sends is bounded before it is parsed, every byte of it is accounted
//! for, and nothing is accepted that the checks do not name. Challenges come from outside: these
//! functions only compare.

mod authenticator_data;
mod client_data;
mod cose;
mod options;
mod response;
#[cfg(test)]
mod tests;
mod verify;

pub use client_data::challenge_of;
pub use cose::KeyRefused;
pub use options::{Known, Person, creation_options, request_options};
pub use response::{Assertion, Registration, Unreadable};
pub use verify::{Asserted, NewPasskey, Stored, assert, register};

/// Where a passkey is made and used: the host, and the pages of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    host: String,
    origins: Vec<String>,
}

impl Site {
    /// The site behind the authority of a request, `host` or `host:port`.
    pub fn of(authority: &str) -> Option<Self> {
        let host = crate::tenancy::Host::parse(authority)?.as_str().to_owned();
        let port = authority.rsplit_once(':').map(|(_, port)| port).filter(|port| !port.contains(']'));
        let origin = |scheme: &str, usual: &str| match port {
            Some(port) if port != usual => format!("{scheme}://{host}:{port}"),
            _ => format!("{scheme}://{host}"),
        };
        let mut origins = vec![origin("https", "443")];
        // What browsers count as a secure context without TLS.
        if host == "localhost" || host.ends_with(".localhost") {
            origins.push(origin("http", "80"));
        }
        Some(Self { host, origins })
    }

    /// The host: what passkeys are bound to (`rpId`).
    pub fn host(&self) -> &str {
        &self.host
    }

    fn is_origin(&self, origin: &str) -> bool {
        self.origins.iter().any(|own| own == origin)
    }
}

/// Why an answer was not accepted. For tests and for the log; the client learns only that it was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The client data is not JSON of the known form.
    #[error("client data is malformed")]
    ClientData,
    /// Made for something else than this ceremony.
    #[error("wrong ceremony")]
    Ceremony,
    /// Another challenge.
    #[error("wrong challenge")]
    Challenge,
    /// A page of another site, or one inside another page.
    #[error("wrong origin")]
    Origin,
    /// The authenticator data is malformed, or bytes are left over.
    #[error("authenticator data is malformed")]
    AuthenticatorData,
    /// The authenticator answered for another host.
    #[error("wrong relying party")]
    RelyingParty,
    /// Nobody was there, or nobody was verified.
    #[error("user not present or not verified")]
    User,
    /// Flags that contradict each other or what is known.
    #[error("backup flags contradict")]
    Backup,
    /// The attestation object is malformed or of a kind that was not asked for.
    #[error("attestation is malformed")]
    Attestation,
    /// The public key is malformed or of a kind that was not asked for.
    #[error("key is malformed")]
    Key(#[from] KeyRefused),
    /// The credential's id is not the one that was named.
    #[error("wrong credential")]
    Credential,
    /// Made by another user.
    #[error("wrong user handle")]
    UserHandle,
    /// The signature is not the key's.
    #[error("wrong signature")]
    Signature,
}
