//! What is not tolerated, taken, given, done and written: the awkward forms of it, and how it is read here.

use std::time::Instant;

use anyhow::Result;
use praxis_interop::fhir::Input;
use serde_json::{Value, json};

use super::{
    clinic,
    hostile::{Scratch, lines, patient, with},
    operator,
    stored::Stored,
    take_in,
};
use crate::support::server::TestServer;

fn coded(system: &str, code: &str, display: &str) -> Value {
    json!({ "coding": [{ "system": system, "code": code, "display": display }] })
}

fn about(kind: &str, id: &str, owner: &str, more: Value) -> Value {
    let mut resource = json!({ "resourceType": kind, "id": id });
    resource[if ["AllergyIntolerance", "Immunization"].contains(&kind) { "patient" } else { "subject" }] =
        json!({ "reference": format!("Patient/{owner}") });
    for (key, value) in more.as_object().unwrap() {
        resource[key] = value.clone();
    }
    resource
}

fn allergy(id: &str, owner: &str, code: Value, verification: &str) -> Value {
    let more = json!({
        "code": code,
        "verificationStatus": coded("http://terminology.hl7.org/CodeSystem/allergyintolerance-verification", verification, verification)
    });
    about("AllergyIntolerance", id, owner, more)
}

fn request(id: &str, more: Value) -> Value {
    let request = about("MedicationRequest", id, "p1", json!({ "status": "active", "intent": "order" }));
    more.as_object().unwrap().iter().fold(request, |request, (key, value)| with(request, key, value.clone()))
}

fn document(id: &str, attachments: &[Value]) -> Value {
    let content: Vec<Value> = attachments.iter().map(|one| json!({ "attachment": one })).collect();
    about("DocumentReference", id, "p1", json!({ "status": "current", "content": content }))
}

const SNOMED: &str = "http://snomed.info/sct";

#[tokio::test]
async fn awkward_forms_become_what_they_mean_or_are_named() -> Result<()> {
    let none = || coded(SNOMED, "716186003", "No known allergy");
    let nuts = || json!({ "text": "Nuts" });
    let good = [
        allergy("a-wrong", "p1", nuts(), "entered-in-error"),
        allergy("a-refuted", "p1", coded("urn:local", "X1", "Dust"), "refuted"),
        allergy("a-none", "p1", none(), "confirmed"),
        // Another system says the same, with the code of an earlier edition.
        allergy("a-none-too", "p1", coded(SNOMED, "160244002", "No known allergies"), "confirmed"),
        allergy("a-nuts", "p2", nuts(), "unconfirmed"),
        request(
            "m-contained",
            json!({
                "contained": [{ "resourceType": "Medication", "id": "m", "code": { "text": "Aspirin" } }],
                "medicationReference": { "reference": "#m" }, "authoredOn": "2020-05"
            }),
        ),
        request("m-named", json!({ "medicationReference": { "reference": "Medication/1" } })),
        request(
            "m-never",
            json!({
                "doNotPerform": true, "medicationCodeableConcept": { "text": "Warfarin" }, "authoredOn": "2020"
            }),
        ),
        request(
            "m-proposed",
            json!({ "intent": "proposal", "medicationCodeableConcept": { "text": "Iron" } }),
        ),
        json!({ "resourceType": "Medication", "id": "1", "code": { "text": "Insulin" } }),
        about(
            "MedicationStatement",
            "m-said",
            "p1",
            json!({
                "status": "not-taken", "medicationCodeableConcept": { "text": "Statin" },
                "effectivePeriod": { "start": "2019", "end": "2021-03" }, "dosage": [{ "text": "1 daily" }]
            }),
        ),
        about(
            "Immunization",
            "i-refused",
            "p1",
            json!({
                "status": "not-done", "vaccineCode": coded("http://hl7.org/fhir/sid/cvx", "140", "Influenza"),
                "statusReason": { "text": "declined" }, "occurrenceString": "last autumn"
            }),
        ),
        about(
            "Procedure",
            "x-staged",
            "p1",
            json!({ "status": "preparation", "code": { "text": "Biopsy" } }),
        ),
        document("d-text", &[json!({ "contentType": "text/plain", "data": "R3LDvMOfZQ==" })]),
        document(
            "d-link",
            &[json!({ "contentType": "application/pdf", "url": "https://ehr.example/Binary/1" })],
        ),
        document("d-binary", &[json!({ "contentType": "text/plain; charset=utf-8", "data": "/w==" })]),
        json!({ "resourceType": "DocumentReference", "id": "d-group", "status": "current",
            "subject": { "reference": "Group/1" }, "content": [{ "attachment": {} }] }),
        // That there is none of a kind is no allergy, and contradicts none.
        allergy("a-no-drugs", "p2", coded(SNOMED, "409137002", "No known drug allergy"), "confirmed"),
    ];
    let bad = [
        (allergy("b1", "p2", none(), "confirmed"), "AllergyIntolerance.code"),
        (with(allergy("b2", "p2", nuts(), "confirmed"), "code", json!({})), "AllergyIntolerance.code"),
        (allergy("b3", "p2", nuts(), "secret"), "AllergyIntolerance.verificationStatus"),
        (
            with(allergy("b4", "p2", nuts(), "confirmed"), "reaction", json!([{ "severity": "secret" }])),
            "AllergyIntolerance.reaction[0].severity",
        ),
        (allergy("b5", "nobody", nuts(), "confirmed"), "AllergyIntolerance.patient"),
        (
            request("b6", json!({ "medicationReference": { "reference": "Medication/gone" } })),
            "MedicationRequest.medicationReference",
        ),
        (request("b7", json!({})), "MedicationRequest.medication[x]"),
        (about("Immunization", "b8", "p1", json!({ "status": "completed" })), "Immunization.vaccineCode"),
        (about("Procedure", "b9", "p1", json!({ "code": { "text": "x" } })), "Procedure.status"),
        (
            about(
                "Procedure",
                "b10",
                "p1",
                json!({ "status": "completed", "code": { "text": "x" }, "performedPeriod": { "end": "secret" } }),
            ),
            "Procedure.performedPeriod.end",
        ),
        (
            document("b11", &[json!({}), json!({ "data": "secret!" })]),
            "DocumentReference.content[1].attachment.data",
        ),
    ];
    let people = [patient("p1", "Ann", "1970"), patient("p2", "Li", "1980")];
    let all: Vec<Value> =
        people.iter().chain(&good).chain(bad.iter().map(|(resource, _)| resource)).cloned().collect();
    let file = Scratch::new("ndjson", &lines(&all))?;
    let clinic = clinic().await?;
    let report = take_in(&clinic, &file.files()).await?;
    let first = (people.len() + good.len() + 1) as u64;
    for (position, (_, path)) in (first..).zip(&bad) {
        let failed = report.failures.iter().find(|failed| failed.position == position);
        assert_eq!(failed.map(|failed| failed.path.as_str()), Some(*path));
    }
    assert_eq!(report.failures.len(), bad.len(), "{:#?}", report.failures);
    assert!(!serde_json::to_string(&report)?.contains("secret"));
    assert_eq!((report.of("AllergyIntolerance").created, report.of("AllergyIntolerance").unchanged), (4, 1));
    assert_eq!(report.of("AllergyIntolerance").kept_sealed, 1);
    assert_eq!(report.of("DocumentReference").kept_sealed, 1);

    let stored = Stored::load(&clinic).await?;
    let said = |kind: &str, id: &str| {
        let id = stored.kept[&(kind.to_owned(), id.to_owned())].mapped.unwrap();
        (stored.said[&id].status.as_str(), &stored.said[&id].clinical)
    };
    assert_eq!(said("AllergyIntolerance", "a-wrong").0, "ENTERED_IN_ERROR");
    assert_eq!(said("AllergyIntolerance", "a-refuted").0, "REFUTED");
    assert_eq!(said("AllergyIntolerance", "a-none").0, "ACTIVE");
    assert_eq!(said("MedicationRequest", "m-contained").1["code"]["text"], "Aspirin");
    assert_eq!(said("MedicationRequest", "m-contained").1["started"]["text"], "2020-05");
    assert_eq!(said("MedicationRequest", "m-named").1["code"]["text"], "Insulin");
    let (status, never) = said("MedicationRequest", "m-never");
    assert_eq!((status, &never["started"]), ("NOT_TAKEN", &Value::Null));
    assert_eq!(said("MedicationRequest", "m-proposed").0, "UNKNOWN");
    let (status, stated) = said("MedicationStatement", "m-said");
    assert_eq!(
        (status, &stated["ended"]["text"], &stated["dosage"]),
        ("NOT_TAKEN", &json!("2021-03"), &json!("1 daily"))
    );
    let (status, refused) = said("Immunization", "i-refused");
    assert_eq!((status, &refused["not_given_reason"]["text"]), ("NOT_DONE", &json!("declined")));
    assert_eq!(said("Procedure", "x-staged").0, "IN_PROGRESS");
    let texts = |id: &str| {
        let id = stored.kept[&("DocumentReference".to_owned(), id.to_owned())].mapped.unwrap();
        stored.documents[&id].1.sections.iter().map(|section| section.text.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(texts("d-text"), ["Grüße"]);
    assert!(texts("d-link").is_empty() && texts("d-binary").is_empty());
    // What the row does not hold stays beside it, and what it holds does not.
    let rest = |kind: &str, id: &str| &stored.kept[&(kind.to_owned(), id.to_owned())].json;
    assert_eq!(rest("DocumentReference", "d-link")["content"], good[14]["content"]);
    assert!(rest("DocumentReference", "d-text").get("content").is_none());
    assert_eq!(rest("Immunization", "i-refused")["occurrenceString"], "last autumn");
    assert_eq!(rest("AllergyIntolerance", "a-none-too"), &good[3]);
    assert_eq!(rest("Procedure", "x-staged")["status"], "preparation");
    let no_drugs = &stored.kept[&("AllergyIntolerance".to_owned(), "a-no-drugs".to_owned())];
    assert!(no_drugs.mapped.is_none() && &no_drugs.json == good.last().unwrap());

    // Once more, though the source says something else by now: what is here stays as it was taken over.
    let changed: Vec<Value> = all
        .iter()
        .take(people.len() + good.len())
        .map(|one| {
            if one["id"] == "a-nuts" {
                with(one.clone(), "code", json!({ "text": "Eggs" }))
            } else {
                one.clone()
            }
        })
        .collect();
    let again = Scratch::new("ndjson", &lines(&changed))?;
    let report = take_in(&clinic, &again.files()).await?;
    assert_eq!(report.types.iter().map(|one| one.created + one.kept_sealed + one.failed).sum::<u64>(), 0);
    let after = Stored::load(&clinic).await?;
    assert_eq!(after.rows, stored.rows);
    Ok(())
}

#[tokio::test]
async fn what_came_from_elsewhere_is_read_through_the_api() -> Result<()> {
    const READ: &str = "query($id: ID!) { patient(by: { id: $id }) {
        allergies { nodes { status confirmed code { text } reactions { severity } } }
        medicationStatements { nodes { status code { text } source started } }
        immunizations { nodes { status vaccine { text } lot } }
        procedures { nodes { status code { text } } }
        documents { nodes { status type current { kind sections { title text } signatures { id } } } } } }";
    let server = TestServer::new(&[("northside", "owner@praxis.test", "owner")]).await?;
    let physician = server.person("northside", "physician").await;
    let system = server.as_system("northside").await?;
    let tenant = system.tenant().as_ref().clone();
    system.rollback().await?;
    let clinic = operator(&server.installation, tenant).await?;
    let ann =
        with(patient("p1", "Quill", "1970-01-01"), "name", json!([{ "family": "Quill", "given": ["Ada"] }]));
    let resources = [
        ann,
        with(
            allergy("a", "p1", json!({ "text": "Penicillin" }), "confirmed"),
            "reaction",
            json!([{ "manifestation": [{ "text": "Hives" }], "severity": "severe" }]),
        ),
        request(
            "m",
            json!({
                "medicationCodeableConcept": { "text": "Aspirin" }, "authoredOn": "2020-05-01",
                "requester": { "display": "Dr. Elsewhere" }
            }),
        ),
        about(
            "Immunization",
            "i",
            "p1",
            json!({
                "status": "completed", "vaccineCode": { "text": "Influenza" },
                "occurrenceDateTime": "2021-10-01", "lotNumber": "L7"
            }),
        ),
        about("Procedure", "x", "p1", json!({ "status": "completed", "code": { "text": "Biopsy" } })),
        with(
            document("d", &[json!({ "contentType": "text/plain", "data": "QWxsIHdlbGwu" })]),
            "type",
            coded("http://loinc.org", "11506-3", "Progress note"),
        ),
    ];
    let file = Scratch::new("ndjson", &lines(&resources))?;
    let report = take_in(&clinic, &file.files()).await?;
    assert_eq!((report.failed(), report.of("DocumentReference").created), (0, 1));
    let found = physician.ask("{ patients { nodes { id } } }", json!({})).await;
    let id = &found["patients"]["nodes"][0]["id"];
    let read = physician.ask(READ, json!({ "id": id })).await["patient"].clone();
    assert_eq!(
        read["allergies"]["nodes"],
        json!([{ "status": "ACTIVE", "confirmed": true, "code": { "text": "Penicillin" }, "reactions": [{ "severity": "SEVERE" }] }])
    );
    assert_eq!(
        read["medicationStatements"]["nodes"],
        json!([{ "status": "ACTIVE", "code": { "text": "Aspirin" }, "source": "Dr. Elsewhere", "started": "2020-05-01" }])
    );
    assert_eq!(
        read["immunizations"]["nodes"],
        json!([{ "status": "COMPLETED", "vaccine": { "text": "Influenza" }, "lot": "L7" }])
    );
    assert_eq!(read["procedures"]["nodes"], json!([{ "status": "COMPLETED", "code": { "text": "Biopsy" } }]));
    assert_eq!(
        read["documents"]["nodes"],
        json!([{ "status": "RECEIVED", "type": "11506-3", "current": {
            "kind": "RECEIVED", "sections": [{ "title": "Progress note", "text": "All well." }], "signatures": [] } }])
    );
    Ok(())
}

/// The budget of a hostile document, in milliseconds. A build without optimisation is within it as well.
const BUDGET: u128 = 250;

#[tokio::test]
async fn hostile_documents_are_refused_within_their_budget() -> Result<()> {
    let clinic = clinic().await?;
    let deep =
        |open: &str, close: &str, times: usize| format!("{}1{}", open.repeat(times), close.repeat(times));
    let members = |count: usize| {
        let all: Vec<String> = (0..count).map(|number| format!("\"k{}\":1", number / 2)).collect();
        all.join(",")
    };
    let cases = [
        (
            "arrays in arrays",
            format!("{{\"resourceType\":\"Basic\",\"id\":\"1\",\"x\":{}}}", deep("[", "]", 500_000)),
        ),
        (
            "objects in objects",
            format!("{{\"resourceType\":\"Basic\",\"id\":\"1\",\"x\":{}}}", deep("{\"a\":", "}", 200_000)),
        ),
        ("members twice", format!("{{\"resourceType\":\"Basic\",\"id\":\"1\",{}}}", members(50_000))),
        (
            "a number without end",
            format!(
                "{{\"resourceType\":\"Observation\",\"id\":\"1\",\"status\":\"final\",\"subject\":{{\"reference\":\"Patient/p\"}},\"code\":{{\"text\":\"x\"}},\"valueQuantity\":{{\"value\":{}}}}}",
                "9".repeat(1_000_000)
            ),
        ),
        (
            "base64 that is none",
            document("1", &[json!({ "contentType": "text/plain", "data": "A".repeat(1_000_001) })])
                .to_string()
                .replace("Patient/p1", "Patient/p"),
        ),
        ("not JSON", "[".repeat(1_000_000)),
    ];
    let known = Scratch::new("ndjson", &lines(&[patient("p", "Quill", "1970")]))?;
    take_in(&clinic, &known.files()).await?;
    for (name, text) in cases {
        let file = Scratch::new("ndjson", &format!("{text}\n"))?;
        let begun = Instant::now();
        match Input::open(&file.files()) {
            Err(_) => {}
            Ok(_) => {
                let report = take_in(&clinic, &file.files()).await?;
                assert_eq!(report.failed(), 1, "{name}");
            }
        }
        let took = begun.elapsed().as_millis();
        eprintln!("{name}: refused in {took} ms, {} kB", text.len() / 1_000);
        assert!(cfg!(debug_assertions) || took <= BUDGET, "{name}: {took} ms");
    }
    Ok(())
}
