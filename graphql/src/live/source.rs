//! Which events a subscription is about, and who is shown one.

use std::sync::{Arc, OnceLock};

use async_graphql::{Context, ID};
use praxis_domain::event::{Event, Recorded, Wanted};
use praxis_entity::ids::{EventId, FacilityId, PractitionerId, TypedId};

use super::types::EventObject;
use crate::{
    context::{Ask, Caller},
    error::{ApiError, Code},
    ids,
    node::{self, Node},
};

/// Which events a subscription is about, and from where on.
#[derive(Debug, Clone)]
pub struct Source {
    /// Which events.
    pub wanted: Wanted,
    /// Of these, those about an appointment with this practitioner.
    pub(super) practitioner: Option<PractitionerId>,
    /// Of these, those about an appointment at this branch.
    pub(super) facility: Option<FacilityId>,
    /// The event behind which it begins.
    pub behind: Option<EventId>,
    /// After how many events it ends.
    pub most: Option<u32>,
}

impl Source {
    /// With the arguments that every subscription has.
    pub(super) fn new(wanted: Wanted, behind: Option<&ID>, most: Option<i32>) -> Result<Self, ApiError> {
        let most = match most.map(u32::try_from) {
            None => None,
            Some(Ok(most @ 1..=1_000)) => Some(most),
            Some(_) => return Err(ApiError::new(Code::BadUserInput, "limit is 1 to 1,000.")),
        };
        let behind = behind.map(ids::parse).transpose()?;
        Ok(Self { wanted, practitioner: None, facility: None, behind, most })
    }
}

/// What a root field of a subscription is run for.
pub(crate) enum Delivery {
    /// To learn which events are wanted.
    Opening(OnceLock<Source>),
    /// To show one.
    Event(Arc<Recorded>),
}

impl Delivery {
    /// Which events turned out to be wanted.
    pub(crate) fn source(&self) -> Option<Source> {
        match self {
            Self::Opening(source) => source.get().cloned(),
            Self::Event(_) => None,
        }
    }
}

/// What every root field does: says which events it wants, or shows the one that came.
pub(super) fn deliver(
    ctx: &Context<'_>,
    coordinate: &'static str,
    source: impl FnOnce() -> Result<Source, ApiError>,
) -> Result<EventObject, ApiError> {
    ctx.read(coordinate)?;
    match ctx.data::<Arc<Delivery>>().map(AsRef::as_ref) {
        Ok(Delivery::Event(recorded)) => Ok(EventObject(Arc::clone(recorded))),
        Ok(Delivery::Opening(wanted)) => {
            let source = source()?;
            wanted.get_or_init(|| source);
            Err(ApiError::new(Code::NotFound, "There is no event yet."))
        }
        Err(_) => Err(ApiError::new(Code::Internal, "a subscription is run as something else")),
    }
}

/// Whether the viewer is shown an event: whoever may know of what it happened to may know that it happened. What is no
/// object of the API is nobody's to see. Whom it concerns is not told by asking for somebody's events, either.
pub(crate) async fn is_shown(source: &Source, caller: &Caller, event: &Event) -> Result<bool, ApiError> {
    let asked_for = [source.wanted.patient.map(TypedId::any), source.wanted.encounter.map(TypedId::any)];
    for about in asked_for.into_iter().flatten() {
        if node::find(caller, about).await?.is_none() {
            return Ok(false);
        }
    }
    let Some(subject) = node::find(caller, event.subject()).await? else { return Ok(false) };
    let appointment = match subject {
        Node::Appointment(appointment) => Some(appointment),
        _ => None,
    };
    // A visit that was moved away is named by the event alone.
    let with = |practitioner| {
        event.names(practitioner) || appointment.as_ref().is_some_and(|visit| visit.is_with(practitioner))
    };
    let at = |facility| appointment.as_ref().is_some_and(|visit| visit.is_at(facility));
    Ok(source.practitioner.is_none_or(with) && source.facility.is_none_or(at))
}
