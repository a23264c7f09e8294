//! Vaccines that were given, and those that were not, with the reason.

use praxis_entity::{
    ids::{EncounterId, PatientId},
    immunization::{self, ImmunizationStatus},
    value::ImmunizationClinical,
};
use praxis_platform::{Op, Write};

use super::chapter::{Statement, chapter, concept_length, meaning, record};
use crate::{
    Result, ViolationCode,
    clinic::text::{lines, optional_line},
    error::Violations,
};

chapter!(
    immunization,
    ImmunizationId,
    ImmunizationStatus,
    ImmunizationClinical,
    "Immunization",
    Immunization,
    ["immunization.record", "immunization.change"],
    IMMUNIZATION_READ,
    IMMUNIZATION_RECORD,
    ImmunizationRecorded,
    ImmunizationChanged,
    immunization,
    |clinical| vec![&clinical.vaccine]
);

/// Records a vaccine; one with a reason against it was not given.
pub async fn record_immunization(
    op: &Op<Write>,
    patient: PatientId,
    encounter: Option<EncounterId>,
    mut clinical: ImmunizationClinical,
) -> Result<immunization::Model> {
    let mut found = Violations::default();
    meaning(&mut found, "vaccine", &clinical.vaccine);
    if let Some(reason) = &clinical.not_given_reason {
        meaning(&mut found, "notGivenReason", reason);
        if clinical.lot.is_some() {
            found.add(ViolationCode::Invalid, &["lot"], "What was not given has no lot.");
        }
    } else if clinical.given.is_none() {
        found.add(ViolationCode::Required, &["givenAt"], "When it was given must be said.");
    }
    for concept in [&clinical.site, &clinical.route].into_iter().flatten() {
        concept_length(&mut found, "site", concept);
    }
    clinical.lot = optional_line(&mut found, &["lot"], clinical.lot.as_deref(), 50);
    clinical.manufacturer =
        optional_line(&mut found, &["manufacturer"], clinical.manufacturer.as_deref(), 200);
    clinical.notes = lines(&mut found, "notes", &clinical.notes, 20, 2_000);
    found.check()?;
    let given = clinical.not_given_reason.is_none();
    let status = if given { ImmunizationStatus::Completed } else { ImmunizationStatus::NotDone };
    record::<immunization::Entity>(
        op,
        Statement { patient, encounter, recorder: None, recorded_at: None, status, clinical },
    )
    .await
}
