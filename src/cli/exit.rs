//! How a command ends.

use std::{io, process::ExitCode};

use praxis_domain::error::{Error, ViolationCode};
use praxis_fleet::{
    is_unreachable,
    migrate::{CellError, MigrateError},
    tenant::LifeError,
};

use crate::config::Invalid;

/// A tenant was named that does not exist.
#[derive(Debug, thiserror::Error)]
#[error("there is no tenant \"{0}\"")]
pub(super) struct UnknownTenant(pub(super) String);

/// What was given can't be meant.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unusable(pub(super) String);

/// How a command ends, as scripts see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Failed.
    Failed = 1,
    /// Called or configured wrongly.
    Usage = 2,
    /// A check says that something is not up to date.
    NotUpToDate = 3,
    /// Some of the work is done; a run can be resumed.
    Partial = 4,
    /// Somebody else is at it.
    Locked = 5,
    /// Something it depends on can't be reached.
    Unavailable = 6,
    /// Refused without `--yes`.
    Refused = 7,
    /// Interrupted.
    Interrupted = 130,
}

impl Exit {
    /// What an error means.
    pub fn of(error: &anyhow::Error) -> Self {
        for cause in error.chain() {
            if cause.is::<Invalid>() || cause.is::<UnknownTenant>() || cause.is::<Unusable>() {
                return Self::Usage;
            }
            if let Some(Error::Violated(violations)) = cause.downcast_ref::<Error>() {
                let given = violations.iter().all(|violation| is_of_what_was_given(violation.code));
                return if given { Self::Usage } else { Self::Failed };
            }
            if let Some(error) = cause.downcast_ref::<MigrateError>() {
                return match error {
                    MigrateError::Locked => Self::Locked,
                    MigrateError::UnknownTenant(_)
                    | MigrateError::NothingLike(_)
                    | MigrateError::UnknownRun(_)
                    | MigrateError::CellUnknown(_) => Self::Usage,
                    error if error.database().is_some_and(is_unreachable) => Self::Unavailable,
                    _ => Self::Failed,
                };
            }
            if let Some(error) = cause.downcast_ref::<CellError>() {
                return match error {
                    CellError::Name(_) | CellError::Unknown(_) | CellError::NotConfigured(_) => Self::Usage,
                    CellError::OtherBuild { .. } => Self::NotUpToDate,
                    error if error.database().is_some_and(is_unreachable) => Self::Unavailable,
                    _ => Self::Failed,
                };
            }
            if let Some(error) = cause.downcast_ref::<LifeError>() {
                return match error {
                    LifeError::Locked => Self::Locked,
                    LifeError::Unknown(_)
                    | LifeError::SlugInvalid
                    | LifeError::Invalid { .. }
                    | LifeError::CellUnknown(_)
                    | LifeError::UnknownTemplate(_) => Self::Usage,
                    LifeError::OtherBuild { .. } => Self::NotUpToDate,
                    LifeError::Database(error) if is_unreachable(error) => Self::Unavailable,
                    _ => Self::Failed,
                };
            }
            if let Some(error) = cause.downcast_ref::<sqlx::Error>() {
                return if is_unreachable(error) { Self::Unavailable } else { Self::Failed };
            }
        }
        Self::Failed
    }
}

/// Whether the fault is in what was given, whatever there is.
fn is_of_what_was_given(code: ViolationCode) -> bool {
    use ViolationCode::{Invalid, NotFound, OutOfRange, Required, TooLong, TooShort};
    matches!(code, Required | Invalid | TooLong | TooShort | OutOfRange | NotFound)
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Whether the reader of our output has gone away, as `head` does; that is no failure.
pub(super) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
