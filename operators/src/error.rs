//! What an operator is told when something goes wrong: a code that programs can tell, and words.
//!
//! What is not foreseen reaches nobody but the log.

use async_graphql::{Error, ErrorExtensions as _, Response, ServerError};
use praxis_fleet::{is_unreachable, migrate::MigrateError, tenant::LifeError};

const UNAVAILABLE: &str = "UPSTREAM_UNAVAILABLE";

/// An error with a code.
pub(crate) fn coded(message: &str, code: &'static str) -> Error {
    Error::new(message).extend_with(|_, extensions| extensions.set("code", code))
}

/// The value can't be taken.
pub(crate) fn bad_input(message: &str) -> Error {
    coded(message, "BAD_USER_INPUT")
}

/// A bug, or data that nobody foresaw.
pub(crate) fn internal(error: impl std::fmt::Display) -> Error {
    tracing::error!(%error, "a field of the control plane failed");
    coded("Something went wrong on our side; the request id finds it in the log.", "INTERNAL")
}

/// The database could not be asked, or failed.
pub(crate) fn database(error: sqlx::Error) -> Error {
    // Too many connections; waited too long for somebody else.
    let is_busy = error
        .as_database_error()
        .and_then(|error| error.code())
        .is_some_and(|code| matches!(&*code, "53300" | "57014" | "55P03" | "40P01"));
    if is_busy || is_unreachable(&error) { unavailable(error) } else { internal(error) }
}

fn unavailable(error: impl std::fmt::Display) -> Error {
    tracing::warn!(%error, "the control schema could not be asked");
    coded("The control database is not available at the moment.", UNAVAILABLE)
}

/// The cell that holds a clinic could not be asked; the others can.
pub(crate) fn cell_away() -> Error {
    coded("The cell that holds this clinic is not available at the moment.", UNAVAILABLE)
}

/// Work failed in a way that the operator can't put right.
pub(crate) fn life(error: LifeError) -> Error {
    match error {
        LifeError::Database(error) => database(error),
        error @ LifeError::CellUnknown(_) => unavailable(error),
        error @ LifeError::OtherBuild { .. } => unavailable(error),
        error => internal(error),
    }
}

/// The same of migrations.
pub(crate) fn migrate(error: MigrateError) -> Error {
    match error {
        MigrateError::Connection(error) => database(error),
        error if error.database().is_some() => unavailable(error),
        error => internal(error),
    }
}

/// Gives every error its code, the name of the request, and whether the same may succeed later.
pub(crate) fn completed(mut response: Response, request_id: &str) -> Response {
    for error in &mut response.errors {
        let framework = of_framework(error);
        let extensions = error.extensions.get_or_insert_default();
        if extensions.get("code").is_none() {
            extensions.set("code", framework);
        }
        let is_retryable = extensions.get("code") == Some(&UNAVAILABLE.into());
        extensions.set("retryable", is_retryable);
        extensions.set("requestId", request_id);
    }
    response
}

/// The framework has words and no codes. What it says before a field runs has no path; what it says of one is about an
/// argument, for ours are coded.
fn of_framework(error: &ServerError) -> &'static str {
    match error.message.as_str() {
        "Query is too complex." => "QUERY_TOO_COMPLEX",
        "Query is nested too deep." => "QUERY_TOO_DEEP",
        _ if error.path.is_empty() => "GRAPHQL_VALIDATION_FAILED",
        _ => "BAD_USER_INPUT",
    }
}
