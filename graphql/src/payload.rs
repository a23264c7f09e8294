//! What a mutation answers: the object, or what the person at the screen can put right.

use async_graphql::{Context, Enum, Interface, SimpleObject, Value};
use praxis_domain::{Detail, Violation, ViolationCode};
use praxis_entity::ids::AnyId;

use crate::{
    allowed,
    consultation::CloseRequirement,
    context::{Ask, Caller},
    error::ApiError,
    node::Node,
    patients::Patient,
    policy::{Rule, at, inherited},
    scalar::DateTime,
    scheduling::Appointment,
};

pub(crate) const POLICY: &[Rule] = &[
    inherited("InputError", &["code", "message", "path"]),
    inherited("VersionConflictError", &["code", "message", "path", "currentVersion", "current"]),
    inherited("SchedulingConflictError", &["code", "message", "path", "conflicts", "nextFreeSlots"]),
    inherited("DuplicatePatientError", &["code", "message", "path", "candidates"]),
    inherited("CloseGateError", &["code", "message", "path", "requirements"]),
    inherited("InvalidTransitionError", &["code", "message", "path", "currentStatus", "allowedActions"]),
];

/// What kind of mistake it is. Clients branch on it; it only grows.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UserErrorCode {
    /// Must be given.
    Required,
    /// Is not well-formed.
    Invalid,
    /// Is too long.
    TooLong,
    /// Lies outside of what makes sense.
    OutOfRange,
    /// Does not exist.
    NotFound,
    /// Exists already.
    AlreadyExists,
    /// Was changed by somebody else meanwhile.
    VersionConflict,
    /// Can't be done from the present status.
    InvalidTransition,
    /// Collides with another appointment.
    SchedulingConflict,
    /// The encounter can't be closed yet.
    CloseGate,
    /// An alert has to be acknowledged first.
    ClinicalAlert,
    /// The patient's consent is missing.
    ConsentRequired,
    /// The record may not be changed any more.
    Locked,
    /// An emergency access that was declared earlier has to be reviewed first.
    ReviewOverdue,
    /// Is too short.
    TooShort,
    /// Is among the first that somebody would guess.
    TooCommon,
    /// The clinic has as many accounts as it may have; see `usage`.
    SeatsExhausted,
    /// The clinic has as many bytes of documents as it may have; see `usage`.
    StorageExhausted,
}

impl From<ViolationCode> for UserErrorCode {
    fn from(code: ViolationCode) -> Self {
        match code {
            ViolationCode::Required => Self::Required,
            ViolationCode::Invalid => Self::Invalid,
            ViolationCode::TooLong => Self::TooLong,
            ViolationCode::OutOfRange => Self::OutOfRange,
            ViolationCode::NotFound => Self::NotFound,
            ViolationCode::AlreadyExists => Self::AlreadyExists,
            ViolationCode::VersionConflict => Self::VersionConflict,
            ViolationCode::InvalidTransition => Self::InvalidTransition,
            ViolationCode::SchedulingConflict => Self::SchedulingConflict,
            ViolationCode::CloseGate => Self::CloseGate,
            ViolationCode::Locked => Self::Locked,
            ViolationCode::ReviewOverdue => Self::ReviewOverdue,
            ViolationCode::TooShort => Self::TooShort,
            ViolationCode::TooCommon => Self::TooCommon,
            ViolationCode::SeatsExhausted => Self::SeatsExhausted,
            ViolationCode::StorageExhausted => Self::StorageExhausted,
        }
    }
}

/// A mistake in the input.
#[derive(SimpleObject)]
pub(crate) struct InputError {
    /// What kind of mistake.
    code: UserErrorCode,
    /// One sentence to show.
    message: String,
    /// Where in the input, for example `["input", "name", "family"]`.
    path: Option<Vec<String>>,
}

/// The object was changed by somebody else since it was read.
#[derive(SimpleObject)]
pub(crate) struct VersionConflictError {
    /// Always VERSION_CONFLICT.
    code: UserErrorCode,
    /// One sentence to show.
    message: String,
    /// Where in the input.
    path: Option<Vec<String>>,
    /// The version that is stored now.
    current_version: i32,
    /// The object as it is stored now.
    current: Option<Node>,
}

/// The time is taken.
#[derive(SimpleObject)]
pub(crate) struct SchedulingConflictError {
    /// Always SCHEDULING_CONFLICT.
    code: UserErrorCode,
    /// One sentence to show.
    message: String,
    /// Where in the input.
    path: Option<Vec<String>>,
    /// Appointments in the way.
    conflicts: Vec<Appointment>,
    /// Starts of the next free slots.
    next_free_slots: Vec<DateTime>,
}

/// The person may be registered already.
#[derive(SimpleObject)]
pub(crate) struct DuplicatePatientError {
    /// Always ALREADY_EXISTS.
    code: UserErrorCode,
    /// One sentence to show.
    message: String,
    /// Where in the input.
    path: Option<Vec<String>>,
    /// Patients who may be the same person.
    candidates: Vec<Patient>,
}

/// The encounter can't be closed yet.
#[derive(SimpleObject)]
pub(crate) struct CloseGateError {
    /// Always CLOSE_GATE.
    code: UserErrorCode,
    /// One sentence to show.
    message: String,
    /// Where in the input.
    path: Option<Vec<String>>,
    /// What is missing, each thing by name.
    requirements: Vec<CloseRequirement>,
}

/// The object is in a status from which this is not possible.
#[derive(SimpleObject)]
pub(crate) struct InvalidTransitionError {
    /// Always INVALID_TRANSITION.
    code: UserErrorCode,
    /// One sentence to show.
    message: String,
    /// Where in the input.
    path: Option<Vec<String>>,
    /// Where the object stands.
    current_status: String,
    /// Names of the mutations that the viewer may run on the object as it stands.
    allowed_actions: Vec<String>,
}

/// Something the person at the screen can put right. Where there is one, nothing was written.
#[derive(Interface)]
#[expect(clippy::large_enum_variant, reason = "there are few, and they live for one answer")]
#[graphql(
    field(name = "code", ty = "&UserErrorCode", desc = "What kind of mistake."),
    field(name = "message", ty = "&String", desc = "One sentence to show, in plain words and without PHI."),
    field(
        name = "path",
        ty = "&Option<Vec<String>>",
        desc = "Where in the input, for example `[\"input\", \"startsAt\"]`."
    )
)]
pub(crate) enum UserError {
    /// A mistake in the input.
    Input(InputError),
    /// Somebody else was first.
    VersionConflict(VersionConflictError),
    /// The time is taken.
    SchedulingConflict(SchedulingConflictError),
    /// The person may be registered already.
    DuplicatePatient(DuplicatePatientError),
    /// Not possible in the present status.
    InvalidTransition(InvalidTransitionError),
    /// The encounter can't be closed yet.
    CloseGate(CloseGateError),
}

/// What a mutation came to.
pub(crate) enum Done<T> {
    /// It was done.
    Written(T),
    /// Nothing was written.
    Refused(Vec<UserError>),
}

impl<T> Done<T> {
    /// The object and the errors, as a payload has them.
    pub(crate) fn split(self) -> (Option<T>, Vec<UserError>) {
        match self {
            Self::Written(value) => (Some(value), Vec::new()),
            Self::Refused(errors) => (None, errors),
        }
    }
}

/// The violations as clients see them. The object with a version conflict is the one that the
/// input names by its `id`.
pub(crate) async fn refused(
    ctx: &Context<'_>,
    violations: Vec<Violation>,
) -> Result<Vec<UserError>, ApiError> {
    let caller = ctx.caller()?;
    let mut errors = Vec::with_capacity(violations.len());
    for violation in violations {
        errors.push(user_error(caller, violation, subject(ctx)).await?);
    }
    Ok(errors)
}

fn subject(ctx: &Context<'_>) -> Option<AnyId> {
    let arguments = ctx.field().arguments().ok()?;
    arguments.iter().find_map(|(_, value)| match value {
        Value::Object(input) => match input.get("id") {
            Some(Value::String(id)) => id.parse().ok(),
            _ => None,
        },
        _ => None,
    })
}

async fn user_error(
    caller: &Caller,
    violation: Violation,
    subject: Option<AnyId>,
) -> Result<UserError, ApiError> {
    let code = violation.code.into();
    let message = violation.message;
    let path = Some(std::iter::once("input".to_owned()).chain(violation.path).collect());
    Ok(match violation.detail {
        Detail::None => UserError::Input(InputError { code, message, path }),
        Detail::Version { current: current_version } => {
            let current = match subject {
                Some(id) => crate::node::find(caller, id).await?,
                None => None,
            };
            UserError::VersionConflict(VersionConflictError { code, message, path, current_version, current })
        }
        Detail::Scheduling { conflicts, next_free } => {
            // Whoever may not read appointments learns that the time is taken, not by whom.
            let conflicts = match caller.check(at!("Query.appointment")) {
                Ok(()) => caller
                    .loaders()
                    .appointments
                    .load_many(&conflicts)
                    .await?
                    .into_iter()
                    .map(Appointment::new)
                    .collect(),
                Err(_) => Vec::new(),
            };
            let next_free_slots = next_free.into_iter().map(DateTime).collect();
            UserError::SchedulingConflict(SchedulingConflictError {
                code,
                message,
                path,
                conflicts,
                next_free_slots,
            })
        }
        Detail::Duplicates(candidates) => {
            let candidates = caller
                .loaders()
                .patients
                .load_many(&candidates)
                .await?
                .into_iter()
                .map(Patient::new)
                .collect();
            UserError::DuplicatePatient(DuplicatePatientError { code, message, path, candidates })
        }
        Detail::CloseGate(missing) => {
            let requirements = missing.into_iter().map(CloseRequirement::new).collect();
            UserError::CloseGate(CloseGateError { code, message, path, requirements })
        }
        Detail::Transition { status: current_status, allowed } => {
            let allowed_actions = allowed::admitted(caller, allowed);
            UserError::InvalidTransition(InvalidTransitionError {
                code,
                message,
                path,
                current_status,
                allowed_actions,
            })
        }
    })
}
