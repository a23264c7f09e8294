//! Tests against a real PostgreSQL, which all of them share.

mod migrate;
mod provision;
mod serving;
mod support;
