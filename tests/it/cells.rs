//! Clinics in two Postgres servers, behind one server.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

mod away;
mod kit;
mod life;
mod made;
mod migrated;
mod served;
