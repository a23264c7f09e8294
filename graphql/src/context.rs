//! Who asks, and the only way from a resolver to the domain.

mod change;
mod journal;
mod recalled;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_graphql::Context;
use praxis_domain::Error;
use praxis_platform::{
    Failure, Op, OpFactory, Read,
    access::{Actor, Extra, FieldPolicies},
    tenancy::Tenant,
};
use serde_json::Value as Json;

use crate::{
    error::{ApiError, Code},
    loaders::Loaders,
    policy::{self, At, Denied},
    redaction::Recorder,
    withhold::ClosedFields,
};

pub(crate) use change::change;
use journal::Journal;
pub(crate) use recalled::Stopped;
pub use recalled::{Afresh, Recalled};

/// What a denied field looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RedactionMode {
    /// `null`, without an entry in `errors[]`.
    #[default]
    Silent,
    /// `null` with an entry in `errors[]`, for strict clients.
    Error,
}

/// One request's caller: operations, loaders, and what was kept back.
#[derive(Clone)]
pub struct Caller(Arc<Inner>);

struct Inner {
    factory: OpFactory,
    read: Op<Read>,
    policies: Arc<FieldPolicies>,
    mode: RedactionMode,
    idempotency_key: Option<String>,
    loaders: Loaders,
    recorder: Mutex<Recorder>,
    replays: Mutex<Vec<String>>,
    journal: Mutex<Journal>,
    recalled: Option<Recalled>,
}

impl Caller {
    /// A caller for one request.
    pub fn new(
        factory: OpFactory,
        policies: Arc<FieldPolicies>,
        mode: RedactionMode,
        idempotency_key: Option<String>,
    ) -> Self {
        Self::remembered(factory, policies, mode, idempotency_key, None)
    }

    /// A caller for one request who was remembered, if so.
    pub fn remembered(
        factory: OpFactory,
        policies: Arc<FieldPolicies>,
        mode: RedactionMode,
        idempotency_key: Option<String>,
        recalled: Option<Recalled>,
    ) -> Self {
        let factory = factory.under(Arc::clone(&policies));
        let read = factory.read();
        let loaders = Loaders::new(&read);
        let (recorder, replays, journal) = Default::default();
        Self(Arc::new(Inner {
            factory,
            read,
            policies,
            mode,
            idempotency_key,
            loaders,
            recorder,
            replays,
            journal,
            recalled,
        }))
    }

    /// True when somebody has signed in.
    pub fn is_known(&self) -> bool {
        self.0.factory.actor().is_known()
    }

    /// The address a request came from, as far as it can be believed.
    pub(crate) fn source_address(&self) -> Option<&str> {
        self.0.factory.request().source_address.as_deref()
    }

    /// How many statements the reading side of this request ran.
    pub fn statements(&self) -> u32 {
        self.0.read.statements()
    }

    /// What denied fields look like.
    pub(crate) fn mode(&self) -> RedactionMode {
        self.0.mode
    }

    /// The key of the `Idempotency-Key` header.
    pub(crate) fn idempotency_key(&self) -> Option<&str> {
        self.0.idempotency_key.as_deref()
    }

    /// The reading operation, for loaders and sealed values, which check on their own.
    pub(crate) fn reading(&self) -> &Op<Read> {
        &self.0.read
    }

    /// What loads rows in batches.
    pub(crate) fn loaders(&self) -> &Loaders {
        &self.0.loaders
    }

    /// What was kept back so far.
    pub(crate) fn recorder(&self) -> MutexGuard<'_, Recorder> {
        self.0.recorder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a mutation field answered with its first result.
    pub(crate) fn note_replay(&self, field: &str) {
        self.0.replays.lock().unwrap_or_else(PoisonError::into_inner).push(field.to_owned());
    }

    /// What goes into `extensions` besides the cost.
    pub(crate) fn extensions(&self) -> Vec<(&'static str, Json)> {
        let replays = self.0.replays.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let replays = (!replays.is_empty()).then(|| ("idempotentReplay", replays.into()));
        self.recorder().summary().map(|summary| ("redactions", summary)).into_iter().chain(replays).collect()
    }

    /// Who asks.
    pub(crate) fn actor(&self) -> &Arc<Actor> {
        self.0.factory.actor()
    }

    /// At which clinic.
    pub(crate) fn tenant(&self) -> &Arc<Tenant> {
        self.0.factory.tenant()
    }

    /// Whether the caller may use a coordinate.
    pub(crate) fn check(&self, at: &At) -> Result<(), Denied> {
        policy::check(at, self.0.factory.actor(), &self.0.policies)
    }

    /// What the clinic asks for at a coordinate in addition.
    pub(crate) fn extra(&self, at: &At) -> &[Extra] {
        at.extra(&self.0.policies)
    }

    /// What the clinic's policies close to the caller, whatever the row.
    pub(crate) fn closed(&self) -> ClosedFields<'_> {
        let actor = self.0.factory.actor();
        self.0.policies.closed_to(|coordinate, asked| At::of(coordinate).is_held(actor, asked))
    }

    fn admit(&self, coordinate: &str) -> Result<(), ApiError> {
        self.check(At::of(coordinate)).map_err(|denied| match denied {
            Denied::SignIn => ApiError::new(Code::Unauthenticated, "Sign in first."),
            Denied::Lacks(permission) => forbidden(permission),
            Denied::SecondFactor => second_factor_required(),
            Denied::NoRule => ApiError::new(Code::Forbidden, "Nobody may do this."),
        })
    }

    /// Says which document the request runs.
    pub(crate) fn note_operation(&self, document: &str) {
        self.0.factory.note_operation(document);
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.0.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn forbidden(permission: praxis_platform::access::Permission) -> ApiError {
    ApiError::new(Code::Forbidden, format!("The permission {permission} is needed."))
        .with("permission", permission.code())
}

fn second_factor_required() -> ApiError {
    let message = "A second factor is required: show one with POST /auth/step-up, or enrol one.";
    ApiError::new(Code::SecondFactorRequired, message)
}

/// How a resolver reads from the domain: by naming its coordinate. Writing goes through [`change()`].
pub(crate) trait Ask {
    /// The caller, for values that check on their own.
    fn caller(&self) -> Result<&Caller, ApiError>;
    /// The reading operation, if the caller may use the coordinate.
    fn read(&self, coordinate: &'static str) -> Result<&Op<Read>, ApiError>;
}

impl Ask for Context<'_> {
    fn caller(&self) -> Result<&Caller, ApiError> {
        let caller = self.data::<Caller>().map_err(|_| ApiError::new(Code::Internal, "no caller"))?;
        caller.note_asked();
        Ok(caller)
    }

    fn read(&self, coordinate: &'static str) -> Result<&Op<Read>, ApiError> {
        let caller = self.caller()?;
        // Noted here as well as by the answer's errors: an edge that is refused may be null in silence.
        caller
            .admit(own(self, coordinate)?)
            .inspect_err(|error| caller.note_lost(coordinate, error.code()))?;
        Ok(&caller.0.read)
    }
}

/// A resolver that names another field's coordinate would check the wrong rule.
fn own(ctx: &Context<'_>, coordinate: &'static str) -> Result<&'static str, ApiError> {
    if coordinate.split_once('.').is_some_and(|(_, field)| field == ctx.field().name()) {
        Ok(coordinate)
    } else {
        Err(ApiError::new(Code::Internal, "a resolver names another field's coordinate"))
    }
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unauthenticated => Self::new(Code::Unauthenticated, "Sign in first."),
            Failure::Forbidden(permission) => forbidden(permission),
            Failure::StepUpRequired => {
                Self::new(Code::StepUpRequired, "Show a second factor first: POST /auth/step-up.")
            }
            Failure::ConsentRequired => {
                Self::new(Code::ConsentRequired, "The patient did not agree to this.")
            }
            Failure::BreakGlassRequired => Self::new(
                Code::BreakGlassRequired,
                "The record is restricted; emergency access would open it.",
            ),
            Failure::ViewOnly => {
                Self::new(Code::Forbidden, "Nothing can be changed while viewing as another role.")
            }
            Failure::SecondFactorRequired => second_factor_required(),
            Failure::NotFound => Self::new(Code::NotFound, "Not found."),
            Failure::BadInput(message) => Self::new(Code::BadUserInput, message),
            Failure::TenantLocked => Self::new(Code::TenantLocked, "This clinic is locked for changes."),
            Failure::TenantMoving => {
                Self::new(Code::TenantMoving, "This clinic moves at the moment; try again in a second.")
            }
            Failure::IdempotencyKeyRequired => Self::new(
                Code::IdempotencyKeyRequired,
                "This mutation needs @idempotent(key:) or an Idempotency-Key header.",
            ),
            Failure::IdempotencyConflict => {
                Self::new(Code::IdempotencyConflict, "This idempotency key was used with another input.")
            }
            Failure::KeyUnavailable => {
                Self::new(Code::KeyUnavailable, "A key is not available at the moment.")
            }
            failed @ Failure::IntegrityFailed { .. } => {
                Self::new(Code::IntegrityFailed, "What is stored is not what was signed.").caused_by(failed)
            }
            Failure::Busy => Self::new(Code::Throttled, "Too many do this at once; try again in a moment."),
            unavailable @ Failure::Unavailable(_) => {
                Self::new(Code::UpstreamUnavailable, "The database is not available at the moment.")
                    .caused_by(unavailable)
            }
            late @ Failure::TimedOut(_) => {
                Self::new(Code::Timeout, "This took too long. Ask for less at once, or try again later.")
                    .caused_by(late)
            }
            other => Self::internal(other),
        }
    }
}

impl From<Error> for ApiError {
    /// For reading: a violation there is bad input.
    fn from(error: Error) -> Self {
        match error {
            Error::Failure(failure) => failure.into(),
            violated @ Error::Violated(_) => Self::new(Code::BadUserInput, violated.to_string()),
        }
    }
}
