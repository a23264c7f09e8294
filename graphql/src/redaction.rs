//! What was kept back from the reader, and why.

use std::collections::BTreeMap;

use async_graphql::{Enum, SimpleObject};
use praxis_platform::access::Permission;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    context::Caller,
    error::{ApiError, Code},
    policy::{self, Denied, Rule, inherited},
};

pub(crate) const POLICY: &[Rule] =
    &[inherited("Redaction", &["field", "reason", "permission", "breakGlass"])];

/// Why a value came back null although there may be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// A permission is missing.
    Permission(Option<Permission>),
    /// The patient's key was destroyed.
    Erased,
    /// The key can't be reached.
    KeyUnavailable,
}

impl Reason {
    /// The entry in `errors[]` for clients that asked for one.
    pub(crate) fn as_error(self) -> ApiError {
        match self {
            Self::Permission(Some(permission)) => {
                ApiError::new(Code::Forbidden, format!("The permission {permission} is needed."))
                    .with("permission", permission.code())
            }
            Self::Permission(None) => ApiError::new(Code::Forbidden, "Nobody may read this field."),
            Self::Erased => ApiError::new(Code::NotFound, "The data was erased."),
            Self::KeyUnavailable => {
                ApiError::new(Code::KeyUnavailable, "A key is not available at the moment.")
            }
        }
    }

    fn public(self) -> RedactionReason {
        match self {
            Self::Permission(_) => RedactionReason::Permission,
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
    fn new(field: &str, reason: Reason) -> Self {
        Self {
            field: field.to_owned(),
            reason: reason.public(),
            permission: match reason {
                Reason::Permission(permission) => permission.map(|permission| permission.code().to_owned()),
                Reason::Erased | Reason::KeyUnavailable => None,
            },
            break_glass: false,
        }
    }
}

/// What is kept back of an object: by permission, and whole classes whose key is gone.
pub(crate) async fn of(
    caller: &Caller,
    type_name: &'static str,
    subject: Option<Uuid>,
) -> Result<Vec<Redaction>, ApiError> {
    let key_state = match subject {
        None => None,
        Some(subject) => match caller.loaders().keys.load(subject).await {
            Ok(Some(_)) => None,
            Ok(None) => Some(Reason::Erased),
            Err(error) if error.code() == Code::KeyUnavailable => Some(Reason::KeyUnavailable),
            Err(error) => return Err(error),
        },
    };
    let mut redactions = Vec::new();
    for (field, _) in policy::guarded(type_name) {
        let coordinate = format!("{type_name}.{field}");
        match caller.check(&coordinate) {
            Err(Denied::Lacks(permission)) => {
                redactions.push(Redaction::new(field, Reason::Permission(Some(permission))))
            }
            Err(Denied::SignIn | Denied::NoRule) => {
                redactions.push(Redaction::new(field, Reason::Permission(None)))
            }
            Ok(()) => {
                let sealed = policy::rule(&coordinate).is_some_and(|rule| rule.phi.is_some());
                redactions.extend(key_state.filter(|_| sealed).map(|reason| Redaction::new(field, reason)));
            }
        }
    }
    Ok(redactions)
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
                let permission = match reason {
                    Some(Reason::Permission(Some(permission))) => Some(permission.code()),
                    _ => None,
                };
                let reason = match reason {
                    Some(Reason::Erased) => "ERASED",
                    Some(Reason::KeyUnavailable) => "KEY_UNAVAILABLE",
                    Some(Reason::Permission(_)) | None => "PERMISSION",
                };
                json!({ "coordinate": coordinate, "count": count, "reason": reason, "permission": permission })
            })
            .collect();
        (!entries.is_empty()).then_some(Json::Array(entries))
    }
}

/// Whether the viewer may read a nullable field that is not sealed itself; notes it where not.
pub(crate) fn allowed(ctx: &async_graphql::Context<'_>, coordinate: &'static str) -> Result<bool, ApiError> {
    use crate::context::{Ask, RedactionMode};
    let caller = ctx.caller()?;
    let Err(denied) = caller.check(coordinate) else { return Ok(true) };
    let reason = Reason::Permission(match denied {
        Denied::Lacks(permission) => Some(permission),
        Denied::SignIn | Denied::NoRule => None,
    });
    caller.recorder().note(coordinate, reason);
    match caller.mode() {
        RedactionMode::Silent => Ok(false),
        RedactionMode::Error => Err(reason.as_error()),
    }
}

/// The same for a list that is never null: it is empty where the viewer may not read it.
pub(crate) fn allowed_list(
    ctx: &async_graphql::Context<'_>,
    coordinate: &'static str,
) -> Result<bool, ApiError> {
    use crate::context::{Ask, RedactionMode};
    match ctx.caller()?.mode() {
        RedactionMode::Silent => allowed(ctx, coordinate),
        RedactionMode::Error => allowed(ctx, coordinate).or_else(|error| {
            let error: async_graphql::Error = error.into();
            ctx.add_error(ctx.set_error_path(error.into_server_error(ctx.item.pos)));
            Ok(false)
        }),
    }
}
