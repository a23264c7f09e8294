//! Which events somebody wants to see.

use async_graphql::{ID, InputObject};
use praxis_domain::event::Wanted;

use super::kind::EventKind;
use crate::{error::ApiError, ids};

/// Which events; all that are given have to hold.
#[derive(InputObject, Default)]
pub(crate) struct EventFilter {
    /// Only of these kinds.
    kinds: Option<Vec<EventKind>>,
    /// Only what concerns this patient.
    patient_id: Option<ID>,
    /// Only what happened in this encounter.
    encounter_id: Option<ID>,
}

impl EventFilter {
    pub(super) fn wanted(self) -> Result<Wanted, ApiError> {
        Ok(Wanted {
            kinds: self.kinds.map(|kinds| kinds.into_iter().map(|EventKind(kind)| kind).collect()),
            patient: self.patient_id.as_ref().map(ids::parse).transpose()?,
            encounter: self.encounter_id.as_ref().map(ids::parse).transpose()?,
        })
    }
}
