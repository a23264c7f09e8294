//! What of each kind of row decides about access to it.

use praxis_entity::{appointment, appointment_series, condition, encounter, observation, patient};

use super::Row;

impl From<&patient::Model> for Row {
    fn from(row: &patient::Model) -> Self {
        Self::of(row.id.0)
    }
}

impl From<&appointment::Model> for Row {
    fn from(row: &appointment::Model) -> Self {
        Self {
            facility: Some(row.facility_id),
            practitioner: Some(row.practitioner_id),
            ..Self::of(row.id.0)
        }
    }
}

impl From<&appointment_series::Model> for Row {
    fn from(row: &appointment_series::Model) -> Self {
        Self {
            facility: Some(row.facility_id),
            practitioner: Some(row.practitioner_id),
            ..Self::of(row.id.0)
        }
    }
}

impl From<&encounter::Model> for Row {
    fn from(row: &encounter::Model) -> Self {
        Self { facility: row.facility_id, practitioner: row.practitioner_id, ..Self::of(row.id.0) }
    }
}

impl From<&observation::Model> for Row {
    fn from(row: &observation::Model) -> Self {
        let encounter = row.encounter_id.map(|encounter| encounter.0);
        Self { encounter, practitioner: row.performer_id, ..Self::of(row.id.0) }
    }
}

impl From<&condition::Model> for Row {
    fn from(row: &condition::Model) -> Self {
        let encounter = row.encounter_id.map(|encounter| encounter.0);
        Self { encounter, practitioner: row.recorder_id, ..Self::of(row.id.0) }
    }
}
