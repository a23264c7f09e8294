//! Allergies and intolerances, and the finding that there is none.
//!
//! "No known allergies" is a statement of its own (SNOMED CT 716186003), not an empty list. The database holds that it
//! and an allergy that is present exclude each other.

use praxis_entity::{
    allergy::{self, AllergyStatus},
    ids::{EncounterId, PatientId},
    value::AllergyClinical,
};
use praxis_platform::{Op, Write};

use super::chapter::{Statement, chapter, concept_length, meaning, record};
use crate::{Result, clinic::text::lines, error::Violations};

/// SNOMED CT: no known allergy.
pub const NO_KNOWN_ALLERGY: &str = "716186003";

chapter!(
    allergy,
    AllergyId,
    AllergyStatus,
    AllergyClinical,
    "Allergy",
    Allergy,
    ["allergy.record", "allergy.change"],
    ALLERGY_READ,
    ALLERGY_RECORD,
    AllergyRecorded,
    AllergyChanged,
    allergy,
    |clinical| std::iter::once(&clinical.code)
        .chain(clinical.reactions.iter().flat_map(|one| &one.manifestations))
        .collect(),
    none_known = |clinical| is_none_known(clinical)
);

/// Whether it says that there is no allergy.
pub fn is_none_known(clinical: &AllergyClinical) -> bool {
    let snomed = |system: &str| system == "http://snomed.info/sct";
    clinical.code.codings.iter().any(|one| snomed(&one.system) && one.code == NO_KNOWN_ALLERGY)
}

/// Records an allergy, or that there is none.
pub async fn record_allergy(
    op: &Op<Write>,
    patient: PatientId,
    encounter: Option<EncounterId>,
    mut clinical: AllergyClinical,
) -> Result<allergy::Model> {
    let mut found = Violations::default();
    meaning(&mut found, "code", &clinical.code);
    for reaction in &clinical.reactions {
        reaction.manifestations.iter().for_each(|one| concept_length(&mut found, "reactions", one));
    }
    clinical.notes = lines(&mut found, "notes", &clinical.notes, 20, 2_000);
    found.check()?;
    let status = AllergyStatus::Active;
    record::<allergy::Entity>(
        op,
        Statement { patient, encounter, recorder: None, recorded_at: None, status, clinical },
    )
    .await
}
