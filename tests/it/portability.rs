//! The whole schema of a clinic, and all that is done with it, under the rules that keep it portable between Postgres
//! and Citus (`docs/citus.md`).
//!
//! `PRAXIS_TEST_PORTABILITY_URL` names the cluster, by the address of a superuser and of a database whose name ends in
//! `portability`, for its content is thrown away. Without it the suite runs on the tests' own plain Postgres, and says so.

#![expect(clippy::unwrap_used, reason = "a test that meets something else fails here")]

mod ground;
mod life;
mod rules;
mod schema;
mod statements;
