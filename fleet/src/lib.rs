//! What operators do with many clinics: bring their schemas forward, look whether they drifted,
//! take one away and bring it back.
//!
//! The command line and the control plane are clients of this package; it knows neither. Everything
//! here works with the operator's own rights on the database, and nothing of it runs in a request of
//! a clinic.

pub mod cells;
pub mod executor;
pub mod migrate;
pub mod operators;
pub mod registry;
pub mod tenant;

/// Whether an error says that the database is away, and nothing of what was asked of it.
pub fn is_unreachable(error: &sqlx::Error) -> bool {
    use sqlx::Error::{Database, Io, PoolClosed, PoolTimedOut, Tls};
    match error {
        Io(_) | Tls(_) | PoolTimedOut | PoolClosed => true,
        // Shutting down, or not there yet.
        Database(error) => error.code().is_some_and(|code| code.starts_with("57P") || code.starts_with("08")),
        _ => false,
    }
}
