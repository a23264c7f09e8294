//! What the operator can put right.

use async_graphql::{Enum, Error, SimpleObject};
use praxis_fleet::tenant::LifeError;

use crate::error::life;

/// Why something was not done.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OperatorErrorCode {
    /// The subdomain is in use.
    SlugTaken,
    /// The value is not one that can be taken.
    Invalid,
    /// There is no such template.
    UnknownTemplate,
    /// There is no such clinic.
    UnknownTenant,
    /// The states don't follow each other.
    IllegalTransition,
    /// The clinic is under legal hold.
    LegalHold,
    /// The clinic's days of grace are not over.
    Grace,
    /// Something else was asked for under this key.
    IdempotencyConflict,
    /// It can't be done as things stand; the message says why.
    Refused,
}

/// Something that the operator can put right.
#[derive(SimpleObject)]
pub(crate) struct OperatorUserError {
    /// What it is.
    code: OperatorErrorCode,
    /// The same in words.
    message: String,
    /// The field of the input that it is about.
    path: Vec<String>,
}

impl OperatorUserError {
    pub(super) fn new(code: OperatorErrorCode, message: impl ToString, field: &str) -> Self {
        Self { code, message: message.to_string(), path: vec!["input".to_owned(), field.to_owned()] }
    }

    /// What failed, about a field where it does not say itself about which; what nobody can put right is an error.
    pub(super) fn of(error: LifeError, field: &str) -> Result<Self, Error> {
        use OperatorErrorCode as Code;
        let (code, field) = match &error {
            LifeError::Unknown(_) => (Code::UnknownTenant, "id"),
            LifeError::Transition { .. } => (Code::IllegalTransition, field),
            LifeError::Held => (Code::LegalHold, field),
            LifeError::Grace => (Code::Grace, field),
            LifeError::SlugTaken => (Code::SlugTaken, field),
            LifeError::SlugInvalid => (Code::Invalid, field),
            LifeError::Invalid { field, .. } => (Code::Invalid, *field),
            LifeError::UnknownTemplate(_) => (Code::UnknownTemplate, "template"),
            LifeError::KeyUsed => (Code::IdempotencyConflict, "idempotencyKey"),
            LifeError::Cell(_) | LifeError::CellUnknown(_) => (Code::Refused, "cell"),
            LifeError::Refused(_) | LifeError::Locked | LifeError::CalledOff => (Code::Refused, field),
            _ => return Err(life(error)),
        };
        Ok(Self::new(code, &error, field))
    }
}
