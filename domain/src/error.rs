//! Why a rule refused.

use chrono::{DateTime, Utc};
use praxis_entity::ids::{AnyId, AppointmentId, PatientId};
use praxis_platform::{Failure, error::sqlstate, quota::Quota};
use sea_orm::DbErr;

/// What the database says to a step that `status_transition` does not hold.
const ILLEGAL_TRANSITION: &str = "PX001";

/// Why a domain function gave no result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The person at the screen can put this right. Nothing was written.
    #[error("{}", .0.iter().map(|violation| violation.message.as_str()).collect::<Vec<_>>().join("; "))]
    Violated(Vec<Violation>),
    /// Everything else.
    #[error(transparent)]
    Failure(Failure),
}

impl From<Failure> for Error {
    /// What the clinic has no more of, it can be told.
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Exhausted(quota) => exhausted(quota).into(),
            failure => Self::Failure(failure),
        }
    }
}

/// The clinic has as much of it as it may have.
pub(crate) fn exhausted(quota: Quota) -> Violation {
    let (code, message) = match quota {
        Quota::Seats => (
            ViolationCode::SeatsExhausted,
            "The clinic has no seat left: disable an account, or ask for more.",
        ),
        Quota::Storage => (
            ViolationCode::StorageExhausted,
            "The clinic's storage is full: nothing new is taken. What was begun can be finished.",
        ),
    };
    Violation::at(code, &[], message)
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        // The rules ask before they write; this is for whoever was overtaken.
        if sqlstate(&error).as_deref() == Some(ILLEGAL_TRANSITION) {
            let message = "This is not possible in the present status.";
            return Violation::at(ViolationCode::InvalidTransition, &["id"], message).into();
        }
        Failure::from(error).into()
    }
}

impl From<Violation> for Error {
    fn from(violation: Violation) -> Self {
        Self::Violated(vec![violation])
    }
}

/// The kind of a violation. Append-only: clients branch on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ViolationCode {
    /// Must be given.
    Required,
    /// Is not well-formed.
    Invalid,
    /// Is too long.
    TooLong,
    /// Lies outside of what makes sense.
    OutOfRange,
    /// Does not exist, or may not be known of.
    NotFound,
    /// Exists already.
    AlreadyExists,
    /// Was changed by somebody else meanwhile.
    VersionConflict,
    /// Can't be done from the present status.
    InvalidTransition,
    /// Collides with another appointment.
    SchedulingConflict,
    /// The record may not be changed any more.
    Locked,
    /// An emergency access that was declared earlier has to be reviewed first.
    ReviewOverdue,
    /// A visit can't be closed yet.
    CloseGate,
    /// Is too short.
    TooShort,
    /// Is among the first that somebody would guess.
    TooCommon,
    /// The clinic has as many accounts as it may have.
    SeatsExhausted,
    /// The clinic has as many bytes of documents as it may have.
    StorageExhausted,
}

impl ViolationCode {
    /// Its name in capitals, as the API spells it: `VERSION_CONFLICT`.
    pub fn name(self) -> String {
        capitals(&format!("{self:?}"))
    }
}

/// A name of Rust's in capitals: `VersionConflict` is `VERSION_CONFLICT`.
pub(crate) fn capitals(camel: &str) -> String {
    let mut name = String::new();
    for letter in camel.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

/// One thing that the person at the screen can put right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Its kind.
    pub code: ViolationCode,
    /// One sentence without PHI, shown to the person.
    pub message: String,
    /// Where in the input: field names in camelCase, indices as numbers.
    pub path: Vec<String>,
    /// What helps to put it right.
    pub detail: Detail,
}

/// What helps to put a violation right.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Detail {
    /// Nothing more.
    #[default]
    None,
    /// The version that is stored now.
    Version {
        /// The stored version.
        current: i32,
    },
    /// What is in the way, and when there is room.
    Scheduling {
        /// Appointments in the way.
        conflicts: Vec<AppointmentId>,
        /// The next free starts.
        next_free: Vec<DateTime<Utc>>,
    },
    /// Patients who may be the same person.
    Duplicates(Vec<PatientId>),
    /// What is missing before a visit is closed.
    CloseGate(Vec<Missing>),
    /// Where the object stands, and what is possible from there.
    Transition {
        /// The status.
        status: String,
        /// The actions that the person may take, as the API names them.
        allowed: Vec<String>,
    },
}

/// Something that is missing before a visit is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    /// What.
    pub requirement: Requirement,
    /// The object that is in the way, if it is one.
    pub object: Option<AnyId>,
}

/// What a visit needs before it is closed. Append-only: clients branch on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Requirement {
    /// Nobody responsible has signed a note.
    SignedDocument,
    /// A document is not signed.
    UnsignedDocument,
    /// There is no assessment.
    MissingAssessment,
    /// There is no diagnosis of rank 1.
    MissingDiagnosis,
    /// There is no plan.
    MissingPlan,
    /// Vital signs, which this kind of visit asks for.
    MissingVitals,
    /// A task is open.
    OpenTask,
    /// An order is open.
    OpenOrder,
    /// An alert was not acknowledged.
    UnacknowledgedAlert,
    /// A rule of the clinic asks for more.
    ClinicRule,
}

impl Requirement {
    /// Its name in capitals, as the API spells it: `MISSING_PLAN`.
    pub fn name(self) -> String {
        capitals(&format!("{self:?}"))
    }
}

impl Violation {
    /// A violation at a place of the input.
    pub fn at(code: ViolationCode, path: &[&str], message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            path: path.iter().map(|&part| part.to_owned()).collect(),
            detail: Detail::None,
        }
    }

    /// Something referred to that does not exist, or may not be known of.
    pub fn unknown(path: &str) -> Self {
        Self::at(ViolationCode::NotFound, &[path], "This does not exist.")
    }

    /// The same, naming of what is possible only what fulfils this as well.
    #[must_use]
    pub fn only(mut self, may: impl Fn(&String) -> bool) -> Self {
        if let Detail::Transition { allowed, .. } = &mut self.detail {
            allowed.retain(may);
        }
        self
    }

    /// The same in other words.
    #[must_use]
    pub fn saying(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// Adds what helps.
    #[must_use]
    pub fn with(mut self, detail: Detail) -> Self {
        self.detail = detail;
        self
    }
}

/// Collects violations, so that a person sees all of them at once.
#[derive(Debug, Default)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// Adds one.
    pub fn add(&mut self, code: ViolationCode, path: &[&str], message: impl Into<String>) {
        self.0.push(Violation::at(code, path, message));
    }

    /// Goes on when there are none.
    pub fn check(self) -> Result<(), Error> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Violated(self.0)) }
    }
}
