//! Allergies and intolerances, and the finding that there is none.
//!
//! "No known allergies" is a statement of its own (SNOMED CT 716186003), not an empty list. The database holds that it
//! and an allergy that is present exclude each other.

use std::collections::HashMap;

use praxis_entity::{
    allergy::{self, AllergyStatus},
    ids::{AllergyId, EncounterId, PatientId},
    value::AllergyClinical,
};
use praxis_platform::{Op, Write, access::Permission, literal::Literal};
use sea_orm::{EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::chapter::{Statement, chapter, concept_length, meaning, record};
use crate::{Result, ViolationCode, clinic::text::lines, error::Violations, page::any_of};

/// SNOMED CT: no known allergy.
pub const NO_KNOWN_ALLERGY: &str = "716186003";
/// SNOMED CT: that there is none of a kind. Beside an allergy of another kind it may be true, so it neither counts as
/// an allergy nor excludes one, and this chapter has no place for it.
const NONE_OF_A_KIND: [&str; 6] = [
    "409137002", // no known drug allergy
    "429625007", // no known food allergy
    "428607008", // no known environmental allergy
    "428197003", // no known insect allergy
    "716184000", // no known latex allergy
    "716220001", // no known animal allergy
];

/// The same in earlier editions.
const NO_KNOWN_ALLERGIES: &str = "160244002";

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
    let none = |code: &str| matches!(code, NO_KNOWN_ALLERGY | NO_KNOWN_ALLERGIES);
    clinical.code.codings.iter().any(|one| is_snomed(&one.system) && none(&one.code))
}

/// Whether it says that there is none of a kind, such as no known drug allergy: it is no allergy.
pub fn is_none_of_a_kind(clinical: &AllergyClinical) -> bool {
    let codings = &clinical.code.codings;
    codings.iter().any(|one| is_snomed(&one.system) && NONE_OF_A_KIND.contains(&one.code.as_str()))
}

fn is_snomed(system: &str) -> bool {
    matches!(system, "http://snomed.info/sct" | "urn:oid:2.16.840.1.113883.6.96")
}

/// What is present of the allergies of a patient.
#[derive(Debug, Clone, Copy, Default)]
pub struct PresentAllergies {
    /// The finding that there is none.
    pub none_known: Option<Uuid>,
    /// Whether there is one.
    pub any: bool,
}

/// What the allergies are that each patient has, for those who take over more from elsewhere.
pub async fn present_allergies(
    op: &Op<Write>,
    patients: &[PatientId],
) -> Result<HashMap<PatientId, PresentAllergies>> {
    op.require(Permission::DATA_IMPORT)?;
    let rows: Vec<(AllergyId, PatientId, bool)> = allergy::Entity::find()
        .select_only()
        .columns([allergy::Column::Id, allergy::Column::PatientId, allergy::Column::NoneKnown])
        .filter(any_of(allergy::Column::PatientId, patients.iter().map(|id| id.0).collect()))
        .filter(allergy::Column::Status.is(AllergyStatus::Active))
        .into_tuple()
        .all(op.db())
        .await?;
    let mut present: HashMap<PatientId, PresentAllergies> = HashMap::new();
    for (id, patient, none_known) in rows {
        let found = present.entry(patient).or_default();
        if none_known {
            found.none_known = Some(id.0);
        } else {
            found.any = true;
        }
    }
    Ok(present)
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
    if is_none_of_a_kind(&clinical) {
        let message = "This says that there is no allergy of a kind. Record the allergies that there are, or that none is known.";
        found.add(ViolationCode::Invalid, &["code"], message);
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
