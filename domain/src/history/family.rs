//! What relatives of a patient have or had.

use praxis_entity::{
    family_history::{self, FamilyHistoryStatus},
    ids::{EncounterId, PatientId},
    value::FamilyHistoryClinical,
};
use praxis_platform::{Op, Write};

use super::chapter::{Statement, chapter, concept_length, meaning, record};
use crate::{Result, ViolationCode, clinic::text::lines, error::Violations};

chapter!(
    family_history,
    FamilyHistoryId,
    FamilyHistoryStatus,
    FamilyHistoryClinical,
    "FamilyHistory",
    FamilyHistory,
    ["family-history.record", "family-history.change"],
    HISTORY_READ,
    HISTORY_RECORD,
    FamilyHistoryRecorded,
    FamilyHistoryChanged,
    family_history,
    |clinical| clinical.conditions.iter().map(|one| &one.code).collect()
);

/// Records what a relative has or had.
pub async fn record_family_history(
    op: &Op<Write>,
    patient: PatientId,
    encounter: Option<EncounterId>,
    mut clinical: FamilyHistoryClinical,
) -> Result<family_history::Model> {
    let mut found = Violations::default();
    meaning(&mut found, "relationship", &clinical.relationship);
    for condition in &clinical.conditions {
        meaning(&mut found, "conditions", &condition.code);
        if let Some(outcome) = &condition.outcome {
            concept_length(&mut found, "conditions", outcome);
        }
        if condition.onset_age.is_some_and(|age| !(0..=130).contains(&age)) {
            found.add(ViolationCode::OutOfRange, &["conditions"], "An age lies between 0 and 130.");
        }
    }
    if clinical.conditions.len() > 50 {
        found.add(ViolationCode::TooLong, &["conditions"], "There are more than 50 conditions.");
    }
    clinical.notes = lines(&mut found, "notes", &clinical.notes, 20, 2_000);
    found.check()?;
    let status = FamilyHistoryStatus::Current;
    record::<family_history::Entity>(
        op,
        Statement { patient, encounter, recorder: None, recorded_at: None, status, clinical },
    )
    .await
}
