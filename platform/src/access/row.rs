//! What of each kind of row decides about access to it.

use praxis_entity::{
    alert, allergy, appointment, appointment_series, clinical_document, condition, encounter, family_history,
    immunization, medication_statement, observation, patient, procedure, rule_evaluation, social_history,
    task,
};

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

impl From<&task::Model> for Row {
    fn from(row: &task::Model) -> Self {
        Self { encounter: row.encounter_id.map(|encounter| encounter.0), ..Self::of(row.id.0) }
    }
}

impl From<&alert::Model> for Row {
    fn from(row: &alert::Model) -> Self {
        let encounter = row.encounter_id.map(|encounter| encounter.0);
        Self { encounter, practitioner: row.practitioner_id, ..Self::of(row.id.0) }
    }
}

impl From<&rule_evaluation::Model> for Row {
    fn from(row: &rule_evaluation::Model) -> Self {
        Self { encounter: Some(row.encounter_id.0), practitioner: row.practitioner_id, ..Self::of(row.id) }
    }
}

impl From<&clinical_document::Model> for Row {
    fn from(row: &clinical_document::Model) -> Self {
        let encounter = row.encounter_id.map(|encounter| encounter.0);
        let document = row.addendum_to.map(|document| document.0);
        Self { encounter, document, practitioner: row.practitioner_id, ..Self::of(row.id.0) }
    }
}

macro_rules! statements {
    ($($entity:ident)*) => {
        $(impl From<&$entity::Model> for Row {
            fn from(row: &$entity::Model) -> Self {
                let encounter = row.encounter_id.map(|encounter| encounter.0);
                Self { encounter, practitioner: row.recorder_id, ..Self::of(row.id.0) }
            }
        })*
    };
}
statements! { allergy medication_statement immunization procedure family_history social_history }
