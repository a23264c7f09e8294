//! What every domain stands on: tenancy, keys, access, audit, sessions.
//!
//! Read in this order: [`tenancy`] (which clinic, on which connection), [`op`] (one operation of
//! one actor), [`vault`] (what is sealed and how it is opened), [`audit`] (what is written down).

pub mod access;
pub mod audit;
pub mod bell;
pub mod client;
pub mod clock;
pub mod documents;
pub mod error;
pub mod events;
pub mod factor;
pub mod idempotency;
pub mod jobs;
pub mod key_service;
pub mod keyring;
pub mod literal;
pub mod mail;
pub mod names;
pub mod op;
pub mod push;
pub mod quota;
pub mod rates;
pub mod redis;
pub mod rotation;
pub mod session;
pub mod sms;
pub mod template;
pub mod tenancy;
pub mod vault;
pub mod words;

pub use error::Failure;
pub use op::{Op, OpFactory, Platform, Read, RequestInfo, Savepoint, Write};
