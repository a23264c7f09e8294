//! Which events somebody wants to be told of.

use std::collections::BTreeSet;

use praxis_entity::{
    event::Column,
    ids::{EncounterId, PatientId},
};
use sea_orm::{ColumnTrait, Condition};

use super::{Event, Recorded};

/// Which events somebody wants to be told of; all that are given have to hold.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Of one of these kinds.
    pub kinds: Option<BTreeSet<String>>,
    /// That concern this patient.
    pub patient: Option<PatientId>,
    /// Of this encounter.
    pub encounter: Option<EncounterId>,
}

impl Wanted {
    /// All kinds whose code begins so.
    pub fn of_kinds(prefix: &str) -> Self {
        let kinds = Event::kinds().map(|(code, _)| code).filter(|code| code.starts_with(prefix)).collect();
        Self { kinds: Some(kinds), ..Self::default() }
    }

    /// Whether an event is one of them.
    pub fn takes(&self, Recorded { event, .. }: &Recorded) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&event.kind()))
            && self.patient.is_none_or(|patient| event.patient() == Some(patient))
            && self.encounter.is_none_or(|encounter| event.encounter() == Some(encounter))
    }

    /// The same, as far as the columns tell.
    pub fn condition(&self) -> Condition {
        Condition::all()
            .add_option(self.kinds.as_ref().map(|kinds| Column::Kind.is_in(kinds)))
            .add_option(self.patient.map(|patient| Column::PatientId.eq(patient)))
            .add_option(self.encounter.map(|encounter| Column::EncounterId.eq(encounter)))
    }
}
