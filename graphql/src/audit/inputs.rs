//! What is asked of the log.

use async_graphql::{Enum, ID, InputObject};
use praxis_domain::audit;
use praxis_entity::ids::{self as kinds, SessionId, decode_base32};
use uuid::Uuid;

use super::stored::{AuditOutcome, Stored};
use crate::{
    error::{ApiError, Code},
    ids,
    patients::DateTimeFilter,
};

/// Which entries. What is given side by side must all hold; of a list, one.
#[derive(InputObject, Debug, Clone, Default)]
pub(crate) struct AuditFilter {
    /// When.
    at: Option<DateTimeFilter>,
    /// Done by one of these users or clients.
    actor_ids: Option<Vec<ID>>,
    /// About one of these patients.
    patient_ids: Option<Vec<ID>>,
    /// One of these actions.
    actions: Option<Vec<String>>,
    /// On one of these kinds of object.
    object_types: Option<Vec<String>>,
    /// On this object.
    object_id: Option<ID>,
    /// Ended in one of these ways.
    outcomes: Option<Vec<AuditOutcome>>,
    /// Concerning one of these sensitivity classes.
    classes: Option<Vec<String>>,
    /// One of these operations, by name.
    operation_names: Option<Vec<String>>,
    /// In this session.
    session_id: Option<ID>,
    /// Under emergency access, or not.
    break_glass: Option<bool>,
}

/// An id of any kind, also of kinds that are no nodes.
fn any(id: &ID) -> Result<Uuid, ApiError> {
    let digits = id.split_once('_').map_or(id.as_str(), |(_, digits)| digits);
    decode_base32(digits)
        .or_else(|| digits.parse().ok())
        .ok_or_else(|| ApiError::new(Code::BadUserInput, "This is not an id."))
}

fn all(ids: &[ID]) -> Result<Vec<Uuid>, ApiError> {
    ids.iter().map(any).collect()
}

impl TryFrom<AuditFilter> for audit::AuditFilter {
    type Error = ApiError;

    fn try_from(filter: AuditFilter) -> Result<Self, ApiError> {
        let patients: Option<Result<Vec<kinds::PatientId>, ApiError>> =
            filter.patient_ids.map(|given| given.iter().map(ids::parse).collect());
        let outcomes = |words: Vec<AuditOutcome>| {
            words.into_iter().map(|word| word.stored().to_owned()).collect::<Vec<_>>()
        };
        Ok(Self {
            at: filter.at.unwrap_or_default().into(),
            actors: filter.actor_ids.as_deref().map(all).transpose()?,
            patients: patients.transpose()?,
            actions: filter.actions,
            object_types: filter.object_types,
            object: filter.object_id.as_ref().map(any).transpose()?,
            outcomes: filter.outcomes.map(outcomes),
            classes: filter.classes,
            operations: filter.operation_names,
            session: filter.session_id.map(|id| ids::parse::<SessionId>(&id)).transpose()?.map(|id| id.0),
            break_glass: filter.break_glass,
        })
    }
}

/// What entries are sorted by; those with the same value by time.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "audit::AuditSort")]
pub(crate) enum AuditOrderField {
    /// When.
    At,
    /// User or client.
    Actor,
    /// Kind of actor.
    ActorKind,
    /// Roles held.
    Roles,
    /// Session.
    Session,
    /// Branch.
    Facility,
    /// Action.
    Action,
    /// Kind of object.
    ObjectType,
    /// Object.
    Object,
    /// Version of the object.
    ObjectVersion,
    /// Patients.
    Patients,
    /// Sensitivity classes.
    Classes,
    /// Purpose of use.
    Purpose,
    /// Operation.
    Operation,
    /// Address it came from.
    Source,
    /// How it ended.
    Outcome,
    /// What stood in the way.
    Reason,
    /// How often.
    Times,
    /// Emergency access.
    BreakGlass,
}

/// How entries are sorted.
#[derive(InputObject, Debug, Clone, Copy)]
pub(crate) struct AuditOrder {
    /// By what.
    by: AuditOrderField,
    /// From the smallest on.
    #[graphql(default)]
    ascending: bool,
}

impl From<AuditOrder> for audit::AuditOrder {
    fn from(order: AuditOrder) -> Self {
        Self { by: order.by.into(), ascending: order.ascending }
    }
}
