//! What was kept back from the reader, and why.

use std::collections::BTreeMap;

use async_graphql::{Enum, SimpleObject};
use futures::future::{BoxFuture, FutureExt};
use praxis_platform::access::{Closed, OPENABLE, Permission};
use serde_json::{Value as Json, json};

use crate::{
    context::{Ask, Caller, RedactionMode},
    error::{ApiError, Code},
    policy::{self, At, Rule, inherited},
    subject::Subject,
};

pub(crate) const POLICY: &[Rule] =
    &[inherited("Redaction", &["field", "reason", "permission", "breakGlass"])];

/// Why a value came back null although there may be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// A permission is missing.
    Permission(Option<Permission>),
    /// The permission is held, and not for this patient or row: another branch, or a condition that does not hold.
    Elsewhere(Permission),
    /// The patient forbids it.
    Consent(Permission),
    /// It is labelled as more sensitive.
    Sensitivity(Permission),
    /// The patient's key was destroyed.
    Erased,
    /// The key can't be reached.
    KeyUnavailable,
}

impl Reason {
    /// The reason that the evaluator gives for a permission.
    pub(crate) fn of(closed: Closed, permission: Permission) -> Self {
        match closed {
            Closed::Permission => Self::Elsewhere(permission),
            Closed::Consent => Self::Consent(permission),
            Closed::Sensitivity => Self::Sensitivity(permission),
        }
    }

    fn permission(self) -> Option<Permission> {
        match self {
            Self::Permission(permission) => permission,
            Self::Elsewhere(permission) => Some(permission),
            Self::Consent(_) | Self::Sensitivity(_) | Self::Erased | Self::KeyUnavailable => None,
        }
    }

    /// Whether emergency access would give it to the reader.
    fn yields(self, caller: &Caller) -> bool {
        let missing = match self {
            Self::Permission(missing) => missing,
            Self::Elsewhere(missing) | Self::Consent(missing) | Self::Sensitivity(missing) => Some(missing),
            Self::Erased | Self::KeyUnavailable => None,
        };
        missing.is_some_and(|missing| OPENABLE.contains(missing))
            && caller.actor().may(Permission::BREAK_GLASS_USE)
    }

    fn code(self) -> &'static str {
        match self {
            Self::Permission(_) | Self::Elsewhere(_) => "PERMISSION",
            Self::Consent(_) => "CONSENT",
            Self::Sensitivity(_) => "SENSITIVITY",
            Self::Erased => "ERASED",
            Self::KeyUnavailable => "KEY_UNAVAILABLE",
        }
    }

    /// The entry in `errors[]` for clients that asked for one.
    pub(crate) fn as_error(self) -> ApiError {
        match self {
            Self::Permission(Some(permission)) | Self::Elsewhere(permission) => {
                ApiError::new(Code::Forbidden, format!("The permission {permission} is needed."))
                    .with("permission", permission.code())
            }
            Self::Permission(None) => ApiError::new(Code::Forbidden, "Nobody may read this field."),
            Self::Consent(_) => ApiError::new(Code::ConsentRequired, "The patient did not agree to this."),
            Self::Sensitivity(_) => ApiError::new(
                Code::BreakGlassRequired,
                "The record is restricted; emergency access would open it.",
            ),
            Self::Erased => ApiError::new(Code::NotFound, "The data was erased."),
            Self::KeyUnavailable => {
                ApiError::new(Code::KeyUnavailable, "A key is not available at the moment.")
            }
        }
    }

    fn public(self) -> RedactionReason {
        match self {
            Self::Permission(_) | Self::Elsewhere(_) => RedactionReason::Permission,
            Self::Consent(_) => RedactionReason::Consent,
            Self::Sensitivity(_) => RedactionReason::Sensitivity,
            Self::Erased => RedactionReason::Erased,
            Self::KeyUnavailable => RedactionReason::KeyUnavailable,
        }
    }
}

/// Why a field came back null although it may have a value.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RedactionReason {
    /// The viewer lacks a permission.
    Permission,
    /// The patient's consent is missing.
    Consent,
    /// The data is labelled as more sensitive than the viewer may see.
    Sensitivity,
    /// The data was erased for good.
    Erased,
    /// The key to the data can't be reached at the moment.
    KeyUnavailable,
}

/// A field that came back null for a reason other than 'no value'.
#[derive(SimpleObject, Debug, Clone)]
pub(crate) struct Redaction {
    /// Name of the field.
    field: String,
    /// Why it was kept back.
    reason: RedactionReason,
    /// The permission that would show it.
    permission: Option<String>,
    /// True when a break-glass grant would reveal it.
    break_glass: bool,
}

impl Redaction {
    fn new(caller: &Caller, field: &str, reason: Reason) -> Self {
        Self {
            field: field.to_owned(),
            reason: reason.public(),
            permission: reason.permission().map(|permission| permission.code().to_owned()),
            break_glass: reason.yields(caller),
        }
    }
}

/// What is kept back of an object: by role, consent or label, and whole classes whose key is gone.
///
/// `sealed` is false for an object that has nothing sealed, whose key does not matter.
pub(crate) fn of<'a>(
    caller: &'a Caller,
    type_name: &'static str,
    subject: &'a Subject,
    sealed: bool,
) -> BoxFuture<'a, Result<Vec<Redaction>, ApiError>> {
    async move {
        let key_state = match sealed {
            false => None,
            true => match caller.loaders().keys.load(subject.owner(caller)).await {
                Ok(Some(_)) => None,
                Ok(None) => Some(Reason::Erased),
                Err(error) if error.code() == Code::KeyUnavailable => Some(Reason::KeyUnavailable),
                Err(error) => return Err(error),
            },
        };
        let mut redactions = Vec::new();
        for (field, at) in policy::guarded(type_name) {
            let closed = match at.phi {
                Some(_) => subject.closed(caller, at).await?.or(key_state),
                None => subject.closed_list(caller, at).await?,
            };
            redactions.extend(closed.map(|reason| Redaction::new(caller, field, reason)));
        }
        Ok(redactions)
    }
    .boxed()
}

/// Counts what was kept back in one answer.
#[derive(Debug, Default)]
pub(crate) struct Recorder(BTreeMap<&'static str, (u64, Option<Reason>)>);

impl Recorder {
    /// Notes one value.
    pub(crate) fn note(&mut self, coordinate: &'static str, reason: Reason) {
        let entry = self.0.entry(coordinate).or_default();
        entry.0 += 1;
        entry.1 = Some(reason);
    }

    /// The summary for `extensions.redactions`; `None` when nothing was kept back.
    pub(crate) fn summary(&self) -> Option<Json> {
        let entries: Vec<Json> = self
            .0
            .iter()
            .map(|(coordinate, (count, reason))| {
                let permission = reason.and_then(Reason::permission).map(Permission::code);
                let reason = reason.map_or("PERMISSION", Reason::code);
                json!({ "coordinate": coordinate, "count": count, "reason": reason, "permission": permission })
            })
            .collect();
        (!entries.is_empty()).then_some(Json::Array(entries))
    }
}

/// Whether the viewer may follow an edge from an object to more of the same patient; notes it where not.
pub(crate) async fn allowed(
    ctx: &async_graphql::Context<'_>,
    at: &'static At,
    subject: &Subject,
) -> Result<bool, ApiError> {
    let caller = ctx.caller()?;
    let Some(reason) = subject.closed_list(caller, at).await? else { return Ok(true) };
    kept(caller, at, reason)
}

/// Whether the viewer may read a nullable field that is of one row of a patient; notes it where not.
pub(crate) async fn allowed_of(
    ctx: &async_graphql::Context<'_>,
    at: &'static At,
    subject: &Subject,
) -> Result<bool, ApiError> {
    let caller = ctx.caller()?;
    let Some(reason) = subject.closed(caller, at).await? else { return Ok(true) };
    kept(caller, at, reason)
}

/// Whether the viewer may read a nullable field that has nothing to do with patients; notes it where not.
pub(crate) fn open(ctx: &async_graphql::Context<'_>, at: &'static At) -> Result<bool, ApiError> {
    let caller = ctx.caller()?;
    let Err(denied) = caller.check(at) else { return Ok(true) };
    kept(caller, at, denied.into())
}

fn kept(caller: &Caller, at: &'static At, reason: Reason) -> Result<bool, ApiError> {
    caller.recorder().note(&at.name, reason);
    match caller.mode() {
        RedactionMode::Silent => Ok(false),
        RedactionMode::Error => Err(reason.as_error()),
    }
}

/// The same for a list that is never null: it is empty where the viewer may not read it.
pub(crate) async fn allowed_list(
    ctx: &async_graphql::Context<'_>,
    at: &'static At,
    subject: &Subject,
) -> Result<bool, ApiError> {
    match ctx.caller()?.mode() {
        RedactionMode::Silent => allowed(ctx, at, subject).await,
        RedactionMode::Error => allowed(ctx, at, subject).await.or_else(|error| {
            let error: async_graphql::Error = error.into();
            ctx.add_error(ctx.set_error_path(error.into_server_error(ctx.item.pos)));
            Ok(false)
        }),
    }
}
