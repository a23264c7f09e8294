//! Patient: names, numbers, ways to reach them, and what US Core adds.

use praxis_domain::patients::RegisterPatient;
use praxis_entity::{
    patient::{AdministrativeSex, PatientStatus},
    value::{self as stored, CodeableConcept as Concept, Contact, Identifiers, PartialDate},
};

use super::{
    moment::moment,
    person,
    value::{coding, concept, known},
};
use crate::fhir::{
    source::{Invalid, Loss, Source},
    types::{Address, CodeableConcept, Communication, ContactPoint, Extension, HumanName, Identifier},
};

const SSN: &str = "http://hl7.org/fhir/sid/us-ssn";
const US_CORE: &str = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-";

/// A patient, and the record number as the source gave it.
pub(in crate::fhir) struct Person {
    pub(in crate::fhir) new: RegisterPatient,
    pub(in crate::fhir) record_number: Option<stored::Identifier>,
}

/// Maps a patient.
pub(in crate::fhir) fn patient(source: &mut Source<'_>) -> Result<Person, Invalid> {
    let numbers = source.element("identifier", |many: Vec<Identifier>, loss| Ok(numbers(many, loss)))?;
    let Numbers { record_number, identifiers } = numbers.unwrap_or_default();
    let names = source.element("name", |many: Vec<HumanName>, loss| {
        Ok(many.into_iter().map(|one| person::name(one, loss)).collect())
    })?;
    let birth_date = source.element("birthDate", |text: String, _| {
        text.parse::<PartialDate>().map_err(|_| Invalid::at("", "is not a date"))
    })?;
    let sex = source.element("gender", |code: String, _| match code.as_str() {
        "female" => Ok(AdministrativeSex::Female),
        "male" => Ok(AdministrativeSex::Male),
        "other" => Ok(AdministrativeSex::Other),
        "unknown" => Ok(AdministrativeSex::Unknown),
        _ => Err(Invalid::at("", "is not one of the codes of FHIR")),
    })?;
    let points =
        source.element("telecom", |many: Vec<ContactPoint>, loss| Ok(person::contact_points(many, loss)))?;
    let addresses = source
        .element("address", |many: Vec<Address>, _| Ok(many.into_iter().map(person::address).collect()))?;
    let deceased = source.element("deceasedDateTime", |text: String, _| moment(text))?;
    let died = source.element("deceasedBoolean", |died: bool, loss| {
        loss.note_if(!died);
        Ok(died)
    })?;
    let active = source.element("active", |active: bool, loss| {
        loss.note_if(active);
        Ok(active)
    })?;
    let status = match (deceased.is_some() || died == Some(true), active) {
        (true, _) => PatientStatus::Deceased,
        (false, Some(false)) => PatientStatus::Inactive,
        (false, _) => PatientStatus::Active,
    };
    let marital_status =
        source.element("maritalStatus", |one: CodeableConcept, loss| Ok(concept(one, loss)))?;
    let languages =
        source.element("communication", |many: Vec<Communication>, loss| Ok(languages(many, loss)))?;
    let extensions = source.element("extension", |many: Vec<Extension>, loss| {
        // Others than the mapped ones are among them.
        loss.note();
        Ok(many)
    })?;
    let extensions = extensions.unwrap_or_default();
    Ok(Person {
        new: RegisterPatient {
            names: names.unwrap_or_default(),
            birth_date: birth_date.ok_or_else(|| source.invalid("birthDate", "is missing"))?,
            administrative_sex: sex.unwrap_or(AdministrativeSex::Unknown),
            mrn: record_number.as_ref().map(|number| number.value.clone()),
            contact: Contact { points: points.unwrap_or_default(), addresses: addresses.unwrap_or_default() },
            identifiers,
            accept_duplicates: Vec::new(),
            deceased,
            marital_status,
            languages: languages.unwrap_or_default(),
            races: categories(&extensions, "race"),
            ethnicities: categories(&extensions, "ethnicity"),
            birth_sex: us_core(&extensions, "birthsex").and_then(|extension| extension.value_code.clone()),
            status: Some(status),
        },
        record_number,
    })
}

#[derive(Default)]
struct Numbers {
    record_number: Option<stored::Identifier>,
    identifiers: Identifiers,
}

/// The first record number, the first social security number, and all others.
fn numbers(many: Vec<Identifier>, loss: &mut Loss) -> Numbers {
    let mut numbers = Numbers::default();
    for given in many {
        let is_record_number = given
            .kind
            .as_ref()
            .is_some_and(|kind| known(kind, |code| (code == "MR").then_some(())).is_some());
        let Some(identifier) = person::identifier(given, loss) else { continue };
        if is_record_number && numbers.record_number.is_none() {
            // Its system is not kept beside it.
            loss.note();
            numbers.record_number = Some(identifier);
        } else if identifier.system == SSN && numbers.identifiers.national_id.is_none() {
            loss.note_if(identifier.kind.is_some());
            numbers.identifiers.national_id = Some(identifier.value);
        } else {
            numbers.identifiers.others.push(identifier);
        }
    }
    numbers
}

fn languages(mut many: Vec<Communication>, loss: &mut Loss) -> Vec<Concept> {
    loss.note_if(many.iter().any(|one| one.preferred.is_some()));
    many.sort_by_key(|one| one.preferred != Some(true));
    many.into_iter().map(|one| concept(one.language, loss)).collect()
}

fn us_core<'a>(extensions: &'a [Extension], name: &str) -> Option<&'a Extension> {
    extensions.iter().find(|extension| extension.url.strip_prefix(US_CORE) == Some(name))
}

/// Race or ethnicity: each category with its code, the text with the only one or on its own.
fn categories(extensions: &[Extension], name: &str) -> Vec<Concept> {
    let parts = us_core(extensions, name).map(|extension| extension.extension.as_slice()).unwrap_or_default();
    let text = parts.iter().find(|part| part.url == "text").and_then(|part| part.value_string.clone());
    let codings =
        parts.iter().filter(|part| part.url == "ombCategory" || part.url == "detailed").filter_map(|part| {
            let given = part.value_coding.as_ref()?;
            let given = crate::fhir::types::Coding {
                system: given.system.clone(),
                version: given.version.clone(),
                code: given.code.clone(),
                display: given.display.clone(),
            };
            coding(given, &mut Loss::default())
        });
    let mut concepts: Vec<Concept> =
        codings.map(|coding| Concept { text: None, codings: vec![coding] }).collect();
    match (concepts.as_mut_slice(), text) {
        ([], Some(text)) => concepts.push(Concept { text: Some(text), codings: Vec::new() }),
        ([only], Some(text)) => only.text = Some(text),
        _ => {}
    }
    concepts
}
