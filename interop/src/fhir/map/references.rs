//! Whose a resource is, and who stands behind its references.

use std::collections::HashMap;

use praxis_entity::{
    ids::{EncounterId, PatientId, PractitionerId},
    value as stored,
};
use uuid::Uuid;

use crate::fhir::{
    links::{Link, Links},
    name::meant,
    source::{Invalid, Loss, Source},
    types::{DocumentContext, Reference},
};

/// The elements that may say whose a resource is.
const OF_PATIENT: [&str; 4] = ["subject", "patient", "beneficiary", "for"];

/// The elements whose references are followed.
const REFERENCES: [&str; 11] = [
    "subject",
    "patient",
    "beneficiary",
    "for",
    "encounter",
    "participant",
    "serviceProvider",
    "performer",
    "recorder",
    "requester",
    "author",
];

const BROKEN: &str = "refers to a resource that could not be imported";

/// What mapping needs to know of the input around a resource.
pub(in crate::fhir) struct Context<'a> {
    pub(in crate::fhir) links: &'a Links,
    pub(in crate::fhir) base: Option<&'a str>,
    /// What the medications of the input are, by their names; `None` for a name of two.
    pub(in crate::fhir) medications: &'a HashMap<String, Option<stored::CodeableConcept>>,
}

impl Context<'_> {
    /// The row behind a reference. One that leads nowhere is a loss; one to a resource that failed
    /// is wrong, so that a later import can put both right.
    pub(super) fn follow(
        &self,
        reference: &Reference,
        kind: &str,
        loss: &mut Loss,
    ) -> Result<Option<Uuid>, Invalid> {
        match self.links.follow(reference, kind, self.base) {
            Link::To(target) => {
                let by_its_name_alone = reference.identifier.is_none() && reference.display.is_none();
                loss.note_if(reference.reference.is_none() || !by_its_name_alone);
                Ok(Some(target.id))
            }
            Link::Broken => Err(Invalid::at("", BROKEN)),
            Link::Unknown => {
                loss.note();
                Ok(None)
            }
        }
    }

    pub(super) fn practitioner(
        &self,
        reference: &Reference,
        loss: &mut Loss,
    ) -> Result<Option<PractitionerId>, Invalid> {
        Ok(self.follow(reference, "Practitioner", loss)?.map(PractitionerId))
    }

    /// Whose a clinical resource is: said by its `subject` or its `patient`.
    pub(super) fn patient(&self, source: &mut Source<'_>, key: &str) -> Result<PatientId, Invalid> {
        let found =
            source.element(key, |reference: Reference, loss| self.follow(&reference, "Patient", loss))?;
        let found = found.ok_or_else(|| source.invalid(key, "is missing"))?;
        found.map(PatientId).ok_or_else(|| source.invalid(key, "refers to no patient that is known here"))
    }

    /// In which visit it was: one of the same patient.
    pub(super) fn visit(
        &self,
        source: &mut Source<'_>,
        patient: PatientId,
    ) -> Result<Option<EncounterId>, Invalid> {
        let found = source
            .element("encounter", |reference: Reference, loss| self.visit_of(&reference, patient, loss))?;
        Ok(found.flatten())
    }

    /// The visit behind a reference, if it is one of the patient.
    pub(super) fn visit_of(
        &self,
        reference: &Reference,
        patient: PatientId,
        loss: &mut Loss,
    ) -> Result<Option<EncounterId>, Invalid> {
        if let Link::To(target) = self.links.follow(reference, "Encounter", self.base)
            && target.patient != Some(patient.0)
        {
            return Err(Invalid::at("", "is a visit of another patient"));
        }
        Ok(self.follow(reference, "Encounter", loss)?.map(EncounterId))
    }

    /// What a medication of the input is.
    pub(super) fn medication(&self, reference: &Reference) -> Option<&stored::CodeableConcept> {
        let names = meant(reference, "Medication", self.base);
        names.iter().find_map(|name| self.medications.get(name)?.as_ref())
    }
}

/// Whose a resource of any type is; `None` for what is nobody's. What belongs to somebody unknown is
/// wrong: it would be sealed under a key that outlives its owner's.
pub(in crate::fhir) fn owner(
    source: &Source<'_>,
    context: &Context<'_>,
) -> Result<Option<PatientId>, Invalid> {
    for key in OF_PATIENT {
        let Some(reference) = source.glance::<Reference>(key) else { continue };
        match context.links.follow(&reference, "Patient", context.base) {
            Link::To(target) => return Ok(Some(PatientId(target.id))),
            Link::Broken => return Err(source.invalid(key, BROKEN)),
            Link::Unknown if is_of_another_kind(&reference) => {}
            Link::Unknown => return Err(source.invalid(key, "refers to no patient that is known here")),
        }
    }
    Ok(None)
}

/// A group, a device, a place: told by what the reference names.
fn is_of_another_kind(reference: &Reference) -> bool {
    let text = reference.reference.as_deref().unwrap_or_default();
    let kind = text.split_once('?').map_or_else(|| text.rsplit('/').nth(1), |(kind, _)| Some(kind));
    kind.is_some_and(|kind| kind != "Patient")
        || text.starts_with('#')
        || reference.reference.is_none() && reference.identifier.is_none()
}

/// The references of a resource that are followed.
pub(in crate::fhir) fn references(source: &Source<'_>) -> Vec<Reference> {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Found {
        One(Reference),
        Many(Vec<Reference>),
    }
    #[derive(serde::Deserialize)]
    struct Individual {
        individual: Option<Reference>,
    }
    let mut found = Vec::new();
    for key in REFERENCES {
        if key == "participant" {
            let participants: Vec<Individual> = source.glance(key).unwrap_or_default();
            found.extend(participants.into_iter().filter_map(|one| one.individual));
            continue;
        }
        match source.glance::<Found>(key) {
            Some(Found::One(one)) => found.push(one),
            Some(Found::Many(many)) => found.extend(many),
            None => {}
        }
    }
    // What `context` is depends on the type.
    match source.kind.as_str() {
        "DocumentReference" => {
            found.extend(source.glance::<DocumentContext>("context").unwrap_or_default().encounter);
        }
        "MedicationStatement" => found.extend(source.glance::<Reference>("context")),
        _ => {}
    }
    found
}
