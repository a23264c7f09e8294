//! Another clinic is as if it were not there, and Postgres sees to it too.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

mod arguments;
mod database;
mod ids;
