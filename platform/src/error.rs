//! Why an operation failed, apart from what the person at the screen can put right.

use sea_orm::{DbErr, RuntimeErr};

use crate::{access::Permission, quota::Quota, tenancy, vault::VaultError};

/// `query_canceled`: the statement timeout, or an operator's `pg_cancel_backend`.
const TIMED_OUT: &str = "57014";
/// What the triggers on `quota` say.
const EXHAUSTED: &str = "PX006";
/// What a home says that is closed to writers: the clinic moves.
const MOVING: &str = "PX007";

/// A failure with a stable meaning. Its text may be shown; what caused it may not.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Nobody is signed in, or the session has ended.
    #[error("sign in first")]
    Unauthenticated,
    /// The actor lacks a permission.
    #[error("the permission {} is needed", .0.code())]
    Forbidden(Permission),
    /// The action needs a second factor shown a short while ago.
    #[error("show a second factor first")]
    StepUpRequired,
    /// The patient forbids it.
    #[error("the patient's consent is missing")]
    ConsentRequired,
    /// The record is labelled as too sensitive; emergency access would open it.
    #[error("the record is restricted")]
    BreakGlassRequired,
    /// The actor looks through the eyes of a role, which is for looking only.
    #[error("nothing can be changed while viewing as another role")]
    ViewOnly,
    /// A role of the actor's asks for a second factor, which was not shown in this session.
    #[error("a second factor is required")]
    SecondFactorRequired,
    /// No such thing, or not one that the actor may know of.
    #[error("not found")]
    NotFound,
    /// The request is not well-formed; the text says how.
    #[error("{0}")]
    BadInput(String),
    /// The clinic is locked: reading goes on, writing does not.
    #[error("this clinic is locked for changes")]
    TenantLocked,
    /// The clinic is on its way to another cell: nothing was done, and the same may be asked for in a moment.
    #[error("this clinic moves")]
    TenantMoving,
    /// A write that needs an idempotency key came without one.
    #[error("an idempotency key is required")]
    IdempotencyKeyRequired,
    /// The idempotency key was used before, with another input.
    #[error("this idempotency key was used with another input")]
    IdempotencyConflict,
    /// The key service is away, or a key is gone.
    #[error("a key is not available")]
    KeyUnavailable,
    /// Too many do the same costly thing at once.
    #[error("too many at once")]
    Busy,
    /// The database can't be reached, is too slow, or has no connection free.
    #[error("the database is not available")]
    Unavailable(#[source] DbErr),
    /// A statement ran out of the time that its class has.
    #[error("a statement took too long")]
    TimedOut(#[source] DbErr),
    /// The clinic has as much as it may have, and this would be more.
    #[error("the clinic has no {0} left")]
    Exhausted(Quota),
    /// Stored data contradicts itself.
    #[error("stored data is inconsistent: {table}.{column} of {row}")]
    Inconsistent {
        /// Table.
        table: &'static str,
        /// Column or sensitivity class.
        column: &'static str,
        /// Row id.
        row: uuid::Uuid,
    },
    /// What was signed is not what is stored: somebody changed it behind the service's back.
    #[error("what is stored is not what was signed: {table} {row}")]
    IntegrityFailed {
        /// Table.
        table: &'static str,
        /// Row id.
        row: uuid::Uuid,
    },
    /// The database refused or failed.
    #[error("database error")]
    Database(#[source] DbErr),
    /// Anything that should not happen.
    #[error("internal error: {0}")]
    Internal(String),
}

impl From<DbErr> for Failure {
    fn from(error: DbErr) -> Self {
        match sqlstate(&error).as_deref() {
            Some(TIMED_OUT) => Self::TimedOut(error),
            Some(MOVING) => Self::TenantMoving,
            Some(EXHAUSTED) => match constraint(&error).as_deref().and_then(Quota::of_constraint) {
                Some(quota) => Self::Exhausted(quota),
                None => Self::Database(error),
            },
            Some(code) if is_passing(code) => Self::Unavailable(error),
            Some(_) => Self::Database(error),
            None if tenancy::is_moving(&error) => Self::TenantMoving,
            None if is_connection_loss(&error) => Self::Unavailable(error),
            None => Self::Database(error),
        }
    }
}

impl From<VaultError> for Failure {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::KeyUnavailable(_) | VaultError::Away(_) => Self::KeyUnavailable,
            other => Self::Internal(other.to_string()),
        }
    }
}

/// Whether the same request may succeed a moment later: connection lost, server shutting down, too
/// many connections; lock not had in time, deadlock, serialization.
fn is_passing(code: &str) -> bool {
    code.starts_with("08") || code.starts_with("57P") || matches!(code, "53300" | "55P03" | "40P01" | "40001")
}

fn sqlx_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(inner))
        | DbErr::Exec(RuntimeErr::SqlxError(inner))
        | DbErr::Query(RuntimeErr::SqlxError(inner)) => Some(inner),
        _ => None,
    }
}

fn is_connection_loss(error: &DbErr) -> bool {
    matches!(
        sqlx_error(error),
        Some(
            sqlx::Error::Io(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed
                | sqlx::Error::Protocol(_)
        )
    ) || matches!(error, DbErr::Conn(_) | DbErr::ConnectionAcquire(_))
}

/// The SQLSTATE that Postgres gave.
pub fn sqlstate(error: &DbErr) -> Option<String> {
    sqlx_error(error)?.as_database_error()?.code().map(|code| code.into_owned())
}

/// The name of the violated constraint, without the shard suffix that a Citus node appends.
pub fn constraint(error: &DbErr) -> Option<String> {
    let name = sqlx_error(error)?.as_database_error()?.constraint()?;
    let bare = name
        .rsplit_once('_')
        .filter(|(_, suffix)| !suffix.is_empty() && suffix.bytes().all(|byte| byte.is_ascii_digit()))
        .map_or(name, |(bare, _)| bare);
    Some(bare.to_owned())
}
