//! Medications as the patient or a source states them: what is taken, not what was ordered here.

use praxis_entity::{
    ids::{EncounterId, PatientId},
    medication_statement::{self, MedicationStatus},
    value::MedicationClinical,
};
use praxis_platform::{Op, Write};

use super::chapter::{Statement, chapter, concept_length, meaning, record};
use crate::{
    Result,
    clinic::text::{lines, optional_line},
    error::Violations,
};

chapter!(
    medication_statement,
    MedicationStatementId,
    MedicationStatus,
    MedicationClinical,
    "MedicationStatement",
    MedicationStatement,
    ["medication.record", "medication.change"],
    MEDICATION_READ,
    MEDICATION_RECORD,
    MedicationStated,
    MedicationChanged,
    medication,
    |clinical| std::iter::once(&clinical.code).chain(&clinical.reasons).collect()
);

/// Records which medication a patient takes, or took.
pub async fn record_medication(
    op: &Op<Write>,
    patient: PatientId,
    encounter: Option<EncounterId>,
    taken_now: bool,
    mut clinical: MedicationClinical,
) -> Result<medication_statement::Model> {
    let mut found = Violations::default();
    meaning(&mut found, "code", &clinical.code);
    clinical.reasons.iter().for_each(|one| concept_length(&mut found, "reasons", one));
    clinical.dosage = optional_line(&mut found, &["dosage"], clinical.dosage.as_deref(), 1_000);
    clinical.source = optional_line(&mut found, &["source"], clinical.source.as_deref(), 200);
    clinical.notes = lines(&mut found, "notes", &clinical.notes, 20, 2_000);
    found.check()?;
    let status = if taken_now { MedicationStatus::Active } else { MedicationStatus::Completed };
    record::<medication_statement::Entity>(
        op,
        Statement { patient, encounter, recorder: None, recorded_at: None, status, clinical },
    )
    .await
}
