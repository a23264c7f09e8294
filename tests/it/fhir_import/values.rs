//! Every value of a resource against what is stored, field by field.

use praxis_entity::value::{CodeableConcept, Moment, ObservationValue};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::stored::Stored;

/// Compares a resource with its row, and sees that nothing of it was lost.
pub(super) fn check(stored: &Stored, resource: &Value) {
    let kept = stored.kept(resource);
    match resource["resourceType"].as_str().unwrap() {
        "Patient" => patient(stored, resource),
        "Encounter" => encounter(stored, resource),
        "Condition" => condition(stored, resource),
        "Observation" => observation(stored, resource),
        "AllergyIntolerance" => allergy(stored, resource),
        "MedicationRequest" => medication(stored, resource),
        "Immunization" => immunization(stored, resource),
        "Procedure" => procedure(stored, resource),
        "DocumentReference" => document(stored, resource),
        "Organization" | "Practitioner" => {}
        _ => assert_eq!(&kept.json, resource),
    }
    for (key, value) in resource.as_object().unwrap() {
        match kept.json.get(key) {
            Some(found) => assert_eq!(found, value, "{key}"),
            None => assert!(MAPPED_FULLY.contains(&key.as_str()), "{key} was lost"),
        }
    }
    let owner = ["subject", "patient"].iter().find(|key| !resource[**key].is_null());
    if let Some(key) = owner {
        assert_eq!(kept.patient, Some(stored.target("Patient", &resource[*key])));
    }
}

/// Elements that leave the residual when all of them is in the row. The comparisons below cover each.
const MAPPED_FULLY: [&str; 36] = [
    "name",
    "gender",
    "birthDate",
    "deceasedDateTime",
    "maritalStatus",
    "communication",
    "identifier",
    "status",
    "class",
    "type",
    "subject",
    "participant",
    "period",
    "reasonCode",
    "hospitalization",
    "serviceProvider",
    "clinicalStatus",
    "verificationStatus",
    "code",
    "encounter",
    "onsetDateTime",
    "abatementDateTime",
    "recordedDate",
    "issued",
    "effectiveDateTime",
    "valueQuantity",
    "valueCodeableConcept",
    "valueString",
    "component",
    "patient",
    "criticality",
    "reaction",
    "medicationCodeableConcept",
    "vaccineCode",
    "occurrenceDateTime",
    "performedPeriod",
];

fn concept(stored: &CodeableConcept, given: &Value) {
    assert_eq!(stored.text.as_deref(), given["text"].as_str());
    let given: Vec<&Value> = given["coding"].as_array().into_iter().flatten().collect();
    assert_eq!(stored.codings.len(), given.len());
    for (stored, given) in stored.codings.iter().zip(given) {
        assert_eq!(stored.system, given["system"].as_str().unwrap());
        assert_eq!(stored.code, given["code"].as_str().unwrap());
        assert_eq!(stored.display.as_deref(), given["display"].as_str());
    }
}

fn concepts(stored: &[CodeableConcept], given: &Value) {
    let given: Vec<&Value> = given.as_array().into_iter().flatten().collect();
    assert_eq!(stored.len(), given.len());
    stored.iter().zip(given).for_each(|(stored, given)| concept(stored, given));
}

fn moment(stored: Option<&Moment>, given: &Value) {
    assert_eq!(stored.map(|stored| stored.text.as_str()), given.as_str());
    if let (Some(stored), Some(given)) = (stored, given.as_str()) {
        let at = chrono::DateTime::parse_from_rfc3339(given).unwrap();
        assert_eq!(stored.at, at);
    }
}

fn code<T: serde::Serialize>(value: T) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_lowercase().replace('_', "-")
}

fn patient(stored: &Stored, given: &Value) {
    let patient = &stored.patients[&stored.mapped(given)];
    assert_eq!(code(patient.row.administrative_sex), given["gender"].as_str().unwrap());
    assert_eq!(patient.identity.birth_date.to_string(), given["birthDate"].as_str().unwrap());
    moment(patient.identity.deceased.as_ref(), &given["deceasedDateTime"]);
    concept(patient.identity.marital_status.as_ref().unwrap(), &given["maritalStatus"]);
    for (name, given) in patient.identity.names.iter().zip(given["name"].as_array().unwrap()) {
        assert_eq!(name.usage.as_ref().map(|usage| usage.to_lowercase()).as_deref(), given["use"].as_str());
        assert_eq!(name.family, given["family"].as_str().unwrap());
        assert_eq!(serde_json::json!(name.given), given["given"]);
        assert_eq!(name.prefix.as_deref(), given["prefix"][0].as_str());
    }
    assert_eq!(patient.identity.names.len(), given["name"].as_array().unwrap().len());
    for (language, given) in patient.identity.languages.iter().zip(given["communication"].as_array().unwrap())
    {
        concept(language, &given["language"]);
    }
    let extension = |name: &str| {
        let all = given["extension"].as_array().unwrap();
        all.iter().find(|one| one["url"].as_str().unwrap().ends_with(name)).unwrap()
    };
    assert_eq!(patient.identity.birth_sex.as_deref(), extension("us-core-birthsex")["valueCode"].as_str());
    for (races, name) in
        [(&patient.identity.races, "us-core-race"), (&patient.identity.ethnicities, "us-core-ethnicity")]
    {
        let parts = &extension(name)["extension"];
        assert_eq!(races[0].codings[0].code, parts[0]["valueCoding"]["code"].as_str().unwrap());
        assert_eq!(races[0].text.as_deref(), parts[1]["valueString"].as_str());
    }
    let number = |kind: &str| {
        let all = given["identifier"].as_array().unwrap();
        all.iter().find(|one| one["type"]["coding"][0]["code"] == kind).and_then(|one| one["value"].as_str())
    };
    assert_eq!(Some(patient.number.mrn.as_str()), number("MR"));
    assert_eq!(patient.identifiers.national_id.as_deref(), number("SS"));
    assert_eq!(patient.identifiers.others.len(), given["identifier"].as_array().unwrap().len() - 2);
    let licence = patient
        .identifiers
        .others
        .iter()
        .find(|other| other.kind.as_ref().is_some_and(|kind| kind.codings[0].code == "DL"));
    assert_eq!(licence.map(|licence| licence.value.as_str()), number("DL"));
    assert_eq!(patient.contact.points[0].value, given["telecom"][0]["value"].as_str().unwrap());
    let (address, given) = (&patient.contact.addresses[0], &given["address"][0]);
    assert_eq!(serde_json::json!(address.lines), given["line"]);
    assert_eq!(address.city.as_deref(), given["city"].as_str());
    assert_eq!(address.postal_code.as_deref(), given["postalCode"].as_str());
}

fn encounter(stored: &Stored, given: &Value) {
    let (row, clinical) = &stored.encounters[&stored.mapped(given)];
    assert_eq!(row.patient_id.0, stored.target("Patient", &given["subject"]));
    assert_eq!((code(row.status).as_str(), &given["status"]), ("closed", &Value::from("finished")));
    let class = match given["class"]["code"].as_str().unwrap() {
        "AMB" => "ambulatory",
        "EMER" => "emergency",
        "IMP" => "inpatient",
        "HH" => "home",
        "VR" => "virtual",
        _ => "other",
    };
    assert_eq!(code(row.class), class);
    moment(clinical.started.as_ref(), &given["period"]["start"]);
    moment(clinical.ended.as_ref(), &given["period"]["end"]);
    assert_eq!(row.started_at, clinical.started.as_ref().map(|started| started.at));
    concepts(&clinical.types, &given["type"]);
    concepts(&clinical.reasons, &given["reasonCode"]);
    match &clinical.discharge_disposition {
        Some(disposition) => concept(disposition, &given["hospitalization"]["dischargeDisposition"]),
        None => assert!(given["hospitalization"].is_null()),
    }
    let individual = &given["participant"][0]["individual"];
    if individual["reference"].as_str().is_some_and(|reference| reference.starts_with("urn:")) {
        assert_eq!(row.practitioner_id.unwrap().0, stored.target("Practitioner", individual));
        assert_eq!(row.organization_id.unwrap().0, stored.target("Organization", &given["serviceProvider"]));
    }
}

fn condition(stored: &Stored, given: &Value) {
    let (row, clinical) = &stored.conditions[&stored.mapped(given)];
    assert_eq!(row.patient_id.0, stored.target("Patient", &given["subject"]));
    assert_eq!(row.encounter_id.unwrap().0, stored.target("Encounter", &given["encounter"]));
    assert_eq!(code(row.clinical_status), given["clinicalStatus"]["coding"][0]["code"].as_str().unwrap());
    assert_eq!(
        code(row.verification_status),
        given["verificationStatus"]["coding"][0]["code"].as_str().unwrap()
    );
    concept(&clinical.code, &given["code"]);
    moment(clinical.onset.as_ref(), &given["onsetDateTime"]);
    moment(clinical.abatement.as_ref(), &given["abatementDateTime"]);
    moment(clinical.recorded.as_ref(), &given["recordedDate"]);
}

fn observation(stored: &Stored, given: &Value) {
    let (row, result) = &stored.observations[&stored.mapped(given)];
    assert_eq!(row.patient_id.0, stored.target("Patient", &given["subject"]));
    assert_eq!(row.encounter_id.unwrap().0, stored.target("Encounter", &given["encounter"]));
    assert_eq!(code(row.status), given["status"].as_str().unwrap());
    // One of the real files has `vital-sign`, which is no code of FHIR.
    let category = given["category"][0]["coding"][0]["code"].as_str().unwrap();
    assert_eq!(code(row.category), if category == "vital-sign" { "other" } else { category });
    concept(&result.code, &given["code"]);
    moment(result.effective.as_ref(), &given["effectiveDateTime"]);
    moment(result.issued.as_ref(), &given["issued"]);
    match &result.value {
        Some(ObservationValue::Concept(found)) => concept(found, &given["valueCodeableConcept"]),
        Some(ObservationValue::Text(found)) => assert_eq!(found, given["valueString"].as_str().unwrap()),
        Some(ObservationValue::Quantity(found)) => {
            assert_eq!(found.unit, given["valueQuantity"]["unit"].as_str().unwrap());
            assert_eq!(found.code, given["valueQuantity"]["code"].as_str().unwrap());
        }
        other => assert!(other.is_none() && !given["component"].is_null()),
    }
    assert_eq!(result.components.len(), given["component"].as_array().map_or(0, Vec::len));
    for (component, given) in
        result.components.iter().zip(given["component"].as_array().into_iter().flatten())
    {
        concept(&component.code, &given["code"]);
    }
}

/// What a chapter states, after what all of them have was compared.
fn said<'a>(stored: &'a Stored, given: &Value, status: &str) -> &'a Value {
    let said = &stored.said[&stored.mapped(given)];
    let owner = if given["patient"].is_null() { &given["subject"] } else { &given["patient"] };
    assert_eq!(said.patient, stored.target("Patient", owner));
    let encounter = &given["encounter"];
    assert_eq!(said.encounter, (!encounter.is_null()).then(|| stored.target("Encounter", encounter)));
    assert_eq!(said.status.to_lowercase().replace('_', "-"), status);
    &said.clinical
}

fn coded(stored: &Value, given: &Value) {
    concept(&serde_json::from_value(stored.clone()).unwrap(), given);
}

fn allergy(stored: &Stored, given: &Value) {
    let said = said(stored, given, given["clinicalStatus"]["coding"][0]["code"].as_str().unwrap());
    coded(&said["code"], &given["code"]);
    assert_eq!(said["confirmed"], given["verificationStatus"]["coding"][0]["code"] == "confirmed");
    assert_eq!(said["intolerance"], given["type"] == "intolerance");
    let criticality = said["criticality"].as_str().map(str::to_lowercase);
    assert_eq!(criticality.as_deref(), given["criticality"].as_str());
    let given: Vec<&Value> = given["reaction"].as_array().into_iter().flatten().collect();
    let reactions = said["reactions"].as_array().unwrap();
    assert_eq!(reactions.len(), given.len());
    for (reaction, given) in reactions.iter().zip(given) {
        coded(&reaction["manifestations"][0], &given["manifestation"][0]);
    }
}

fn medication(stored: &Stored, given: &Value) {
    let said = said(stored, given, given["status"].as_str().unwrap());
    if !given["medicationCodeableConcept"].is_null() {
        coded(&said["code"], &given["medicationCodeableConcept"]);
    }
    assert_eq!(said["started"]["text"], given["authoredOn"]);
    assert_eq!(said["source"], given["requester"]["display"]);
    let reasons: Vec<&Value> = given["reasonReference"].as_array().into_iter().flatten().collect();
    let named: Vec<&Value> = reasons.iter().map(|one| &one["display"]).filter(|one| !one.is_null()).collect();
    let said: Vec<&Value> = said["reasons"].as_array().unwrap().iter().map(|one| &one["text"]).collect();
    assert_eq!(said, named);
}

fn immunization(stored: &Stored, given: &Value) {
    let said = said(stored, given, given["status"].as_str().unwrap());
    coded(&said["vaccine"], &given["vaccineCode"]);
    assert_eq!(said["given"]["text"], given["occurrenceDateTime"]);
}

fn procedure(stored: &Stored, given: &Value) {
    let said = said(stored, given, given["status"].as_str().unwrap());
    coded(&said["code"], &given["code"]);
    assert_eq!(said["performed"]["text"], given["performedPeriod"]["start"]);
    assert_eq!(said["ended"]["text"], given["performedPeriod"]["end"]);
}

fn document(stored: &Stored, given: &Value) {
    let (row, body) = &stored.documents[&stored.mapped(given)];
    assert_eq!(row.patient_id.0, stored.target("Patient", &given["subject"]));
    let encounter = stored.target("Encounter", &given["context"]["encounter"][0]);
    assert_eq!(row.encounter_id.map(|encounter| encounter.0), Some(encounter));
    assert!(row.practitioner_id.is_some());
    assert_eq!(row.type_code, given["type"]["coding"][0]["code"].as_str().unwrap());
    let data = given["content"][0]["attachment"]["data"].as_str().unwrap();
    assert_eq!(body.sections.len(), 1);
    assert_eq!(body.sections[0].text.as_bytes(), data_encoding::BASE64.decode(data.as_bytes()).unwrap());
}

/// The numbers of a bundle as they were written: a parser of floats would lose their text.
#[derive(Deserialize)]
struct Numbers<'a> {
    #[serde(borrow)]
    entry: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    resource: Resource<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource<'a> {
    resource_type: &'a str,
    id: &'a str,
    #[serde(borrow)]
    value_quantity: Option<Amount<'a>>,
    #[serde(borrow, default)]
    component: Vec<Part<'a>>,
}

#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow, rename = "valueQuantity")]
    value_quantity: Option<Amount<'a>>,
}

#[derive(Deserialize)]
struct Amount<'a> {
    #[serde(borrow)]
    value: &'a RawValue,
}

/// Every number of the observations in a bundle has the text it was written with.
pub(super) fn check_numbers(stored: &Stored, bundle: &str) {
    let numbers: Numbers<'_> = serde_json::from_str(bundle).unwrap();
    let mut seen = 0;
    for Entry { resource } in
        numbers.entry.iter().filter(|entry| entry.resource.resource_type == "Observation")
    {
        let id = stored.kept[&("Observation".to_owned(), resource.id.to_owned())].mapped.unwrap();
        let result = &stored.observations[&id].1;
        let parts = result
            .components
            .iter()
            .map(|part| part.value.as_ref())
            .zip(resource.component.iter().map(|part| &part.value_quantity));
        for (value, given) in [(result.value.as_ref(), &resource.value_quantity)].into_iter().chain(parts) {
            let Some(given) = given else { continue };
            let Some(ObservationValue::Quantity(quantity)) = value else { panic!("no quantity") };
            assert_eq!(quantity.value.to_string(), given.value.get());
            seen += 1;
        }
    }
    assert!(seen > 0);
}
